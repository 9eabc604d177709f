import { createHash } from "node:crypto";
import { decryptMedia } from "../media/media-cipher.ts";
import type { MediaLibrary } from "../media/media-library.ts";
import type { MediaPart } from "./media-part.ts";
import { Serial } from "./serial.ts";

/** A file as a phone got it: size in bytes and SHA-256 (hex) of what was decrypted; neither if it could not be had. */
export type ReceivedMedia = { mimetype: string; fileName?: string } & (
  | { size: number; sha256: string }
  | { missing: true }
);

const MAX_REMEMBERED = 500;

/** Files are downloaded one after the other, whoever they are for: a group would fill the memory with copies. */
const downloads = new Serial();
/** Outcomes by address and key: in a group everybody gets the same file. */
const outcomes = new Map<string, { size: number; sha256: string }>();

/** Downloads and decrypts the file of a message. */
export async function receiveMedia(library: MediaLibrary, { kind, part }: MediaPart): Promise<ReceivedMedia> {
  const about = { mimetype: part.mimetype ?? "", ...(part.fileName ? { fileName: part.fileName } : {}) };
  const key = `${part.directPath} ${Buffer.from(part.mediaKey ?? []).toString("hex")}`;
  const outcome = await downloads.run(async () => {
    const known = outcomes.get(key);
    if (known && library.find(part.directPath ?? "")?.isGone === false) return known;
    const file = await library.read(part.directPath ?? "");
    const bytes = file && (await decryptMedia(file, part.mediaKey ?? Buffer.alloc(0), kind));
    return bytes && { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  });
  if (!outcome) return { ...about, missing: true };
  outcomes.set(key, outcome);
  const [oldest] = outcomes.keys();
  if (outcomes.size > MAX_REMEMBERED && oldest !== undefined) outcomes.delete(oldest);
  return { ...about, ...outcome };
}
