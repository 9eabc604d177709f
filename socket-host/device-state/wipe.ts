import { randomBytes } from "node:crypto";
import { adoptHead } from "./adopt-head.ts";
import type { LogOwner } from "./log.ts";
import { logObjects } from "./log-objects.ts";
import type { LogObjects } from "./log-objects.ts";

/**
 * Forgets a device for good: all objects under its prefix go, its chats included. What stays holds no secret: the
 * fences of its owners, so that none of them can write any more; a last entry (the tombstone), which makes everything
 * before it as if it had never been; and a HEAD that begins after it, from which the same device id may start anew under
 * this or a later epoch. Also works when entries or snapshots cannot be read. The state must be closed here before.
 * Throws when the store does not answer; calling it again is safe.
 */
export async function wipe({ epoch, ...place }: LogOwner): Promise<"wiped" | "fenced"> {
  const objects = logObjects(place);
  const writer = randomBytes(12).toString("hex");
  for (;;) {
    const current = await objects.readHead();
    if (current && current.head.epoch > epoch) return "fenced";
    // Before the tombstone: a later owner's objects must not be among them.
    const others = await objects.listOthers();
    const seq = await buryLog(objects, epoch, writer, current?.head.snapSeq ?? 0);
    if (seq === "fenced") return "fenced";
    // Had HEAD moved by another wipe, the number of the tombstone may have been one that was freed.
    if ((await objects.readHead())?.etag !== current?.etag) continue;
    const head = { epoch, snapSeq: seq, snapshot: objects.newSnapshot(seq), parts: 0 };
    if ((await adoptHead(objects, head, current?.etag)) === "fenced") return "fenced";
    await objects.deleteBefore(seq, others);
    return "wiped";
  }
}

/** Writes the tombstone at the end of the log, unless a newer owner has written there. Answers its number. */
async function buryLog(
  objects: LogObjects,
  epoch: number,
  writer: string,
  snapSeq: number,
): Promise<number | "fenced"> {
  const tombstone = { epoch, writer, wipes: true, body: Buffer.alloc(0) };
  for (let last = (await objects.listEntries(snapSeq)).at(-1)?.seq ?? snapSeq; ; last++) {
    const newest = await objects.peekEntry(last);
    if (newest?.writer === writer) return last;
    if (newest && newest.epoch > epoch) return "fenced";
    const seq = last + 1;
    if ((await objects.createEntry(seq, objects.sealEntry(seq, tombstone))) === "created") return seq;
  }
}
