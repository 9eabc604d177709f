import { AwsError } from "../aws-error.ts";

/** First and last byte, both included. */
export type ByteRange = { first: number; last: number };

/**
 * The part of `size` bytes that a Range header asks for; undefined for all of it, which is also what S3 gives for more
 * than one range and for units it does not know (RFC 9110, 14.2). Throws `InvalidRange` (416).
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (header === undefined || (from === "" && to === "")) return undefined;
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined;
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (first <= last) return { first, last };
  throw new AwsError("InvalidRange", 416, "The requested range is not satisfiable", {
    details: { RangeRequested: header, ActualObjectSize: String(size) },
  });
}
