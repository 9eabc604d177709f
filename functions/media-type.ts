import { isUtf8 } from "node:buffer";
import { fileTypeFromBuffer } from "file-type";
import type { MediaKind } from "../shared/media.ts";

/** What file-type calls otherwise than the contract and WhatsApp do. Its `x-cfb` is every old Office document. */
const SAME: Record<string, string> = {
  "video/vnd.avi": "video/avi",
  "application/x-cfb": "application/msword",
  "audio/x-m4a": "audio/mp4",
  "audio/opus": "audio/ogg",
  "application/ogg": "audio/ogg",
};

/**
 * What a file is, by how its content begins, whatever anybody says that it is. Text has no mark of its own; what is
 * neither is `application/octet-stream`.
 */
export async function mediaTypeOf(head: Buffer): Promise<string> {
  const found = await fileTypeFromBuffer(head);
  const type = found?.mime.split(";")[0];
  if (type !== undefined) return SAME[type] ?? type;
  return isText(head) ? "text/plain" : "application/octet-stream";
}

/** The last character may have been cut. */
const isText = (head: Buffer) =>
  !head.includes(0) && [0, 1, 2, 3].some((cut) => isUtf8(head.subarray(0, Math.max(0, head.length - cut))));

const FITTING: Record<MediaKind, RegExp> = {
  image: /^image\//,
  video: /^video\//,
  document: /^/,
  audio: /^audio\//,
  voice: /^audio\//,
  sticker: /^image\/webp$/,
};

/** Whether WhatsApp would show a file of this type as that. */
export const fitsKind = (mimetype: string, kind: MediaKind) => FITTING[kind].test(mimetype);
