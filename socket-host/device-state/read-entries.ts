import type { LogEntry } from "./log-entry.ts";
import { inTurns } from "./log-objects.ts";
import type { LogObjects } from "./log-objects.ts";

/** `last` is the number of the newest entry. */
export type EntriesRead = { entries: LogEntry[]; last: number };

/**
 * What was logged after `snapSeq`, oldest first, without the entries that a later one repeats. Undefined when one is
 * missing: numbers follow each other without a gap. Throws `SealError`, and when the store does not answer.
 */
export async function readEntries(objects: LogObjects, snapSeq: number): Promise<EntriesRead | undefined> {
  const listed = await objects.listEntries(snapSeq);
  if (listed.some(({ seq }, index) => seq !== snapSeq + 1 + index)) return undefined;
  const last = snapSeq + listed.length;
  const known = new Map<number, LogEntry>();
  let wanted = largest(listed);
  while (wanted.length) {
    const read = await inTurns(wanted, async (seq) => [seq, await objects.readEntry(seq)] as const);
    for (const [seq, entry] of read) {
      if (!entry) return undefined;
      known.set(seq, entry);
    }
    wanted = uncovered(known, snapSeq, last);
  }
  return { entries: [...walk(known, snapSeq, last)].flatMap((seq) => known.get(seq) ?? []).reverse(), last };
}

/**
 * Who repeats others is larger than they are: those that are larger than all after them. A guess that is wrong costs a request;
 * what is not guessed is read next.
 */
function largest(listed: readonly { seq: number; bytes: number }[]): number[] {
  const found: number[] = [];
  let most = 0;
  for (const { seq, bytes } of listed.toReversed()) {
    if (bytes > most) found.push(seq);
    most = Math.max(most, bytes);
  }
  return found;
}

/** The newest number of each stretch that no known entry covers. */
const uncovered = (known: ReadonlyMap<number, LogEntry>, snapSeq: number, last: number) =>
  [...walk(known, snapSeq, last)].filter((seq) => !known.has(seq));

/** From the end to the beginning: the entries that cover the others, and the ends of the stretches between them. */
function* walk(known: ReadonlyMap<number, LogEntry>, snapSeq: number, last: number): Generator<number> {
  for (let seq = last; seq > snapSeq;) {
    yield seq;
    const entry = known.get(seq);
    seq -= 1 + (entry?.repeats ?? 0);
    if (!entry) while (seq > snapSeq && !known.has(seq)) seq -= 1;
  }
}
