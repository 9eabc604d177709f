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

/** A sentence that says what is wrong when the bytes are no HEAD of a known format. */
export function decodeHead(bytes: Buffer): Head | string {
  try {
    const parsed: unknown = JSON.parse(bytes.toString());
    const { data, success } = schema.safeParse(parsed);
    if (!success) return `its format is ${formatOf(parsed)}, known is 1`;
    const { format: _, ...head } = data;
    return head;
  } catch {
    return "it is no JSON";
  }
}

const formatOf = (parsed: unknown) =>
  typeof parsed === "object" && parsed !== null && "format" in parsed ? String(parsed.format) : "unknown";
