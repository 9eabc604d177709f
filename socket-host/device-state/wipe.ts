import { randomBytes } from "node:crypto";
import { adoptHead } from "./adopt-head.ts";
import type { LogOwner } from "./log.ts";
import { logObjects } from "./log-objects.ts";
import type { LogObjects } from "./log-objects.ts";

/**
 * Forgets a device for good: all objects under its prefix go, its chats included. What stays holds no secret: a last
 * entry (the tombstone), which any earlier owner finds in its way, and a HEAD that begins after it, from which the same
 * device id may start anew under this or a later epoch. Also works when entries or snapshots cannot be read. The state
 * must be closed here before. Throws when the store does not answer; calling it again is safe.
 */
export async function wipe({ epoch, ...place }: LogOwner): Promise<"wiped" | "fenced"> {
  const objects = logObjects(place);
  const current = await objects.readHead();
  const seq = await buryLog(objects, epoch, current?.head.snapSeq ?? 0);
  if (seq === "fenced") return "fenced";
  const head = { epoch, snapSeq: seq, snapshot: objects.newSnapshot(seq), parts: 0 };
  if ((await adoptHead(objects, head, current?.etag)) === "fenced") return "fenced";
  await objects.deleteAllBefore(seq);
  return "wiped";
}

/** Writes the tombstone at the end of the log, unless a newer owner has written there. Answers its number. */
async function buryLog(objects: LogObjects, epoch: number, snapSeq: number): Promise<number | "fenced"> {
  const writer = randomBytes(12).toString("hex");
  const tombstone = { epoch, writer, body: Buffer.alloc(0) };
  for (let last = (await objects.listEntries(snapSeq)).at(-1) ?? snapSeq; ; last++) {
    const newest = await objects.peekEntry(last);
    if (newest?.writer === writer) return last;
    if (newest && newest.epoch > epoch) return "fenced";
    const seq = last + 1;
    if ((await objects.createEntry(seq, objects.sealEntry(seq, tombstone))) === "created") return seq;
  }
}
