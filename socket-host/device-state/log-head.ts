/**
 * The one object of a device's log that is replaced: it says where reading begins. `snapSeq` is the newest entry that
 * the snapshot covers, and only grows; entries after it are read on top of the snapshot. A snapshot of no parts is
 * empty: that is how a wiped device begins again. Nothing here is secret.
 */
import * as z from "zod";

const schema = z.object({
  format: z.literal(1),
  epoch: z.int().nonnegative(),
  snapSeq: z.int().nonnegative(),
  /** Unlike every other snapshot's name, so that no two versions of HEAD have the same bytes and the same ETag. */
  snapshot: z.string().regex(/^[0-9]{12}-[0-9a-f]{16}$/),
  parts: z.int().nonnegative(),
});

export type Head = Omit<z.infer<typeof schema>, "format">;

export const encodeHead = (head: Head): Buffer => Buffer.from(JSON.stringify({ format: 1, ...head }));

/** Undefined when the bytes are no HEAD of a known format. */
export function decodeHead(bytes: Buffer): Head | undefined {
  try {
    const { format: _, ...head } = schema.parse(JSON.parse(bytes.toString()));
    return head;
  } catch {
    return undefined;
  }
}
