import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/** An object that is not what this installation wrote there: damaged, moved, of another format, or under another key. */
export class SealError extends Error {
  override readonly name = "SealError";
  readonly object: string;
  constructor(object: string, why: string) {
    super(`${object} cannot be opened: ${why}`);
    this.object = object;
  }
}

const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;

/** Bytes that sealing adds to a body. */
export const SEAL_OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES;

/**
 * Encrypts a body for one place in the bucket: AES-256-GCM under a key of its own (HKDF-SHA-256 of the installation's
 * key and the object's name), with the name as associated data. So an object that was changed, or copied to another
 * name, does not open. Layout: format byte, 12 random bytes, ciphertext, 16 bytes of tag.
 *
 * @param key 32 bytes
 */
export function seal(key: Buffer, object: string, body: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", keyOf(key, object), nonce);
  cipher.setAAD(Buffer.from(object));
  const sealed = [Buffer.of(FORMAT), nonce, cipher.update(body), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(sealed);
}

/** The body that was sealed under this name. Throws `SealError`. */
export function unseal(key: Buffer, object: string, sealed: Buffer): Buffer {
  if (sealed.length < SEAL_OVERHEAD_BYTES) throw new SealError(object, "it is cut short");
  if (sealed[0] !== FORMAT) throw new SealError(object, `its format is ${sealed[0]}, known is ${FORMAT}`);
  const decipher = createDecipheriv("aes-256-gcm", keyOf(key, object), sealed.subarray(1, HEADER_BYTES));
  decipher.setAAD(Buffer.from(object));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new SealError(object, "it was changed, moved, or sealed under another STATE_ENCRYPTION_KEY");
  }
}

const keyOf = (key: Buffer, object: string) => Buffer.from(hkdfSync("sha256", key, "device state", object, 32));
