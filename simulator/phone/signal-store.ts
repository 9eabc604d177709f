import type { SignalDataSet, SignalDataTypeMap, SignalKeyStoreWithTransaction } from "@whiskeysockets/baileys";

/** libsignal's session record as it is stored: one entry per session with that device, by base key. */
type SessionRecord = { _sessions: Record<string, { indexInfo: { used: number } }>; version: string };

/** One-time keys that were handed out and never used; more than this and the oldest are withdrawn. */
const MAX_PREKEYS = 1_000;
const PREKEY = "pre-key|";
/** A sender key above this size is thinned out: it keeps so many keys of messages that were skipped. */
const MAX_SENDER_KEY_BYTES = 16 * 1024;
const KEPT_MESSAGE_KEYS = 25;

export type SignalStoreRecord = [key: string, value: unknown][];

/**
 * A phone's Signal keys, straight in memory: no transaction cache, every write is visible at once. The phone runs one
 * job at a time, so nothing more is needed.
 */
export class SignalStore implements SignalKeyStoreWithTransaction {
  readonly #values: Map<string, unknown>;
  readonly #preKeys: Set<string>;
  #shown: { id: string; base: string } | undefined;

  constructor(record: SignalStoreRecord = []) {
    this.#values = new Map(record);
    this.#preKeys = new Set(record.map(([key]) => key).filter((key) => key.startsWith(PREKEY)));
  }

  get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]): Record<string, SignalDataTypeMap[T]> {
    const found: Record<string, SignalDataTypeMap[T]> = {};
    for (const id of ids) {
      const value = this.#values.get(`${type}|${id}`);
      if (value === undefined) continue;
      const isNarrowed = type === "session" && this.#shown?.id === id;
      found[id] = (isNarrowed ? this.#narrowed(value as SessionRecord) : value) as SignalDataTypeMap[T];
    }
    return found;
  }

  set(data: SignalDataSet): void {
    for (const [type, values] of Object.entries(data)) {
      for (const [id, value] of Object.entries(values)) {
        const key = `${type}|${id}`;
        if (value === null) this.#delete(key);
        else if (type === "session" && this.#shown?.id === id) this.#mergeShown(key, value);
        else this.#values.set(key, type === "sender-key" ? thinned(value as Uint8Array) : value);
        if (value !== null && key.startsWith(PREKEY)) this.#preKeys.add(key);
      }
    }
    const [oldest] = this.#preKeys;
    if (this.#preKeys.size > MAX_PREKEYS && oldest !== undefined) this.#delete(oldest);
  }

  transaction<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }

  isInTransaction(): boolean {
    return false;
  }

  /** The base keys of all sessions in a record, the one used last first. */
  sessions(id: string): string[] {
    const record = this.#values.get(`session|${id}`) as SessionRecord | undefined;
    return Object.entries(record?._sessions ?? {})
      .sort(([, a], [, b]) => b.indexInfo.used - a.indexInfo.used)
      .map(([base]) => base);
  }

  /**
   * Runs `work` while only one session of a record is to be seen. libsignal (src/session_cipher.js,
   * `decryptWithSessions`) turns the ratchet of every session that it tries in vain, and stores the damage together with
   * the success of another one.
   */
  async showing<T>(id: string, base: string, work: () => Promise<T>): Promise<T> {
    this.#shown = { id, base };
    try {
      return await work();
    } finally {
      this.#shown = undefined;
    }
  }

  toRecord(): SignalStoreRecord {
    return [...this.#values];
  }

  #narrowed(record: SessionRecord): SessionRecord {
    const { base } = this.#shown ?? { base: "" };
    const session = record._sessions[base];
    return { ...record, _sessions: session ? { [base]: session } : {} };
  }

  #mergeShown(key: string, changed: unknown): void {
    const whole = this.#values.get(key) as SessionRecord;
    const { _sessions } = changed as SessionRecord;
    this.#values.set(key, { ...whole, _sessions: { ...whole._sessions, ..._sessions } });
  }

  #delete(key: string): void {
    this.#values.delete(key);
    this.#preKeys.delete(key);
  }
}

/**
 * A sender key without most of the keys of skipped messages. Baileys skips every second key when it sends and keeps up to
 * 2,000 of them on both sides (Signal/Group/group_cipher.js, `getSenderKey`): 220 bytes for each message to a group.
 */
function thinned(senderKey: Uint8Array): Uint8Array {
  if (senderKey.length <= MAX_SENDER_KEY_BYTES) return senderKey;
  const states = JSON.parse(Buffer.from(senderKey).toString()) as { senderMessageKeys: unknown[] }[];
  for (const state of states) state.senderMessageKeys = state.senderMessageKeys.slice(-KEPT_MESSAGE_KEYS);
  return Buffer.from(JSON.stringify(states));
}
