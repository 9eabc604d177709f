/**
 * One entry of a device's log, as it is before it is sealed: a line of JSON that says who wrote it, then the body.
 *
 * `epoch` is that of the lease it was written under; it never goes down along the log. `writer` is drawn anew whenever
 * a log is opened, and an open log creates each of its entries with one content only: who meets its own writer at a
 * number knows that this entry is its own. One that `repeats` holds what so many entries before it hold, as it is now: they
 * need not be read. One that `wipes` makes everything before it as if it had never been.
 */
import * as z from "zod";

export type LogEntry = z.output<typeof header> & { body: Buffer };

const header = z.object({
  epoch: z.int().nonnegative(),
  writer: z.string(),
  repeats: z.int().nonnegative().optional(),
  wipes: z.boolean().optional(),
});
const NEWLINE = 0x0a;

export function encodeEntry({ body, ...header }: LogEntry): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]);
}

/** Throws when the bytes are no entry. They come out of a seal, so only a program error could make them so. */
export function decodeEntry(bytes: Buffer): LogEntry {
  const end = bytes.indexOf(NEWLINE);
  return { ...header.parse(JSON.parse(bytes.toString("utf8", 0, end))), body: bytes.subarray(end + 1) };
}
