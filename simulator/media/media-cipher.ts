import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { getMediaKeys, type MediaType } from "@whiskeysockets/baileys";

/** A file ready for the media host, and what its message says about it. */
export type EncryptedMedia = {
  /** What is uploaded: ciphertext and 10 bytes of MAC. */
  encrypted: Buffer;
  mediaKey: Buffer;
  fileSha256: Buffer;
  fileEncSha256: Buffer;
  fileLength: number;
};

const MAC_BYTES = 10;

/** Encrypts a file under a new key, the way Baileys does (Utils/messages-media.js, `encryptedStream`). */
export async function encryptMedia(bytes: Buffer, kind: MediaType): Promise<EncryptedMedia> {
  const mediaKey = randomBytes(32);
  const { cipherKey, iv, macKey } = await keysOf(mediaKey, kind);
  const cipher = createCipheriv("aes-256-cbc", cipherKey, iv);
  const ciphertext = Buffer.concat([cipher.update(bytes), cipher.final()]);
  const encrypted = Buffer.concat([ciphertext, macOf(macKey, iv, ciphertext)]);
  return {
    encrypted,
    mediaKey,
    fileSha256: sha256(bytes),
    fileEncSha256: sha256(encrypted),
    fileLength: bytes.length,
  };
}

/** The file again; `undefined` if key and bytes do not belong together. Unlike Baileys, this checks the MAC. */
export async function decryptMedia(
  encrypted: Uint8Array,
  mediaKey: Uint8Array,
  kind: MediaType,
): Promise<Buffer | undefined> {
  if (encrypted.length <= MAC_BYTES || mediaKey.length !== 32) return undefined;
  const { cipherKey, iv, macKey } = await keysOf(mediaKey, kind);
  const ciphertext = encrypted.subarray(0, -MAC_BYTES);
  if (!macOf(macKey, iv, ciphertext).equals(encrypted.subarray(-MAC_BYTES))) return undefined;
  try {
    const decipher = createDecipheriv("aes-256-cbc", cipherKey, iv);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  } catch {
    return undefined;
  }
}

async function keysOf(mediaKey: Uint8Array, kind: MediaType) {
  const { cipherKey, iv, macKey } = await getMediaKeys(mediaKey, kind);
  if (!macKey) throw new Error(`no MAC key for ${kind}`);
  return { cipherKey, iv, macKey };
}

function macOf(macKey: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Buffer {
  return createHmac("sha256", macKey).update(iv).update(ciphertext).digest().subarray(0, MAC_BYTES);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
