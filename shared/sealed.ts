import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** So that a later form is told from this one. */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;

/**
 * Encrypts a text that is kept in the database (AES-256-GCM).
 * @param place what it belongs to: elsewhere it does not open, so that rows cannot be exchanged
 */
export function seal(text: string, key: Buffer, place: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(place));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), nonce, sealed, cipher.getAuthTag()]);
}

/** Throws when it was sealed with another key or for another place, or is damaged. */
export function unseal(sealed: Buffer, key: Buffer, place: string): string {
  if (sealed[0] !== VERSION) throw new Error("sealed in a form that this version does not know");
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(1, HEADER_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(-TAG_BYTES));
  const text = Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
  return text.toString("utf8");
}
