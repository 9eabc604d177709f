import { AwsError } from "../aws-error.ts";

/**
 * A key as a string with one character for each byte of its UTF-8 form. Comparing such strings is comparing the bytes,
 * which is the order of ListObjectsV2 and not that of JavaScript's UTF-16 strings.
 */
export type KeyBytes = string & { readonly __keyBytes: true };

/** User guide, "Naming Amazon S3 objects": at most 1,024 bytes. */
const LONGEST_KEY_BYTES = 1024;

export function keyBytes(key: string): KeyBytes {
  return Buffer.from(key, "utf8").toString("latin1") as KeyBytes;
}

export function keyText(key: string): string {
  return Buffer.from(key, "latin1").toString("utf8");
}

/** Throws `KeyTooLongError`. */
export function checkedKeyBytes(key: string): KeyBytes {
  const bytes = keyBytes(key);
  if (bytes.length > LONGEST_KEY_BYTES) throw new AwsError("KeyTooLongError", 400, "Your key is too long");
  return bytes;
}
