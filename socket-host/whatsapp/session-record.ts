/**
 * libsignal keeps several sessions with one address in one record (both sides began at once, or one began anew). To
 * decrypt, it tries them in turn on the same objects: a try that fails has already turned that session's ratchet, and
 * when a later one succeeds the whole record is stored, damage included (src/session_cipher.js, decryptWithSessions).
 * Afterwards messages of the spoilt session cannot be read. The repair: libsignal is shown one session at a time, and
 * what it made of it is merged back.
 *
 * This rests on the JSON form of libsignal 6.0.0's records (src/session_record.js, serialize).
 */
import * as z from "zod";

const schema = z.looseObject({
  _sessions: z.record(z.string(), z.looseObject({ indexInfo: z.looseObject({ used: z.number().nullish() }) })),
});

export type SessionRecord = z.infer<typeof schema>;

/** Undefined for what is no record in the known form: libsignal then gets it whole, as it would without the repair. */
export const toSessionRecord = (value: unknown): SessionRecord | undefined => schema.safeParse(value).data;

/** The sessions by base key, in the order in which libsignal tries them: the one used last comes first. */
export function sessionOrder({ _sessions }: SessionRecord): string[] {
  const used = (baseKey: string) => _sessions[baseKey]?.indexInfo.used ?? 0;
  return Object.keys(_sessions).sort((a, b) => used(b) - used(a));
}

export function onlySession(record: SessionRecord, baseKey: string): SessionRecord {
  const session = record._sessions[baseKey];
  return { ...record, _sessions: session ? { [baseKey]: session } : {} };
}

/** The whole record with this session as libsignal left it. */
export function mergeSession(whole: SessionRecord, baseKey: string, changed: SessionRecord): SessionRecord {
  const session = changed._sessions[baseKey];
  return session ? { ...whole, _sessions: { ...whole._sessions, [baseKey]: session } } : whole;
}
