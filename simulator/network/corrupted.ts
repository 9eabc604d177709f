import type { BinaryNode } from "../wire/node.ts";

/**
 * The same `<enc>`, spoilt so that it cannot be decrypted: a `msg` ends with 8 bytes of MAC, in a `pkmsg` 5 to 8 bytes of key
 * ids follow them, and an `skmsg` ends with 64 bytes of signature.
 */
export function corrupted(enc: BinaryNode): BinaryNode {
  if (!(enc.content instanceof Uint8Array) || enc.content.length < 10) return enc;
  const content = Buffer.from(enc.content);
  const at = content.length - 10;
  content.writeUInt8(content.readUInt8(at) ^ 0xff, at);
  return { ...enc, content };
}
