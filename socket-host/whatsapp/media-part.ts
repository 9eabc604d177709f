import "./quiet.ts";
import { randomBytes } from "node:crypto";
import { prepareWAMessageMedia, proto } from "@whiskeysockets/baileys";
import type { AnyMediaMessageContent, WAMediaUploadFunction } from "@whiskeysockets/baileys";
import type { MediaPayload } from "../../shared/commands.ts";
import type { MediaKind } from "../../shared/media.ts";
import { silentLogger } from "./silent-logger.ts";

/** A file of ours that is to become part of a message. `preview`: of an image, where one could be made. */
export type FileToUpload = {
  path: string;
  mediaType: MediaKind;
  mimetype: string;
  preview?: { jpegThumbnail: Buffer; width: number; height: number } | undefined;
};

/** Encrypts a file and uploads it; what it answers is the same for every recipient. */
export type UploadFile = (file: FileToUpload) => Promise<Buffer>;

/** WhatsApp's clients take an upload to be dead after so long (lib/Defaults/index.js, UPLOAD_TIMEOUT). */
const UPLOAD_TIMEOUT_MS = 30_000;

/**
 * The part of a message that says where its file is and how to read it, in WhatsApp's encoding, without what is said to
 * one recipient. The file passes through the disk, not the memory. Rejects when the media server does not take it.
 */
export async function uploadPart(upload: WAMediaUploadFunction, file: FileToUpload): Promise<Buffer> {
  const options = { logger: silentLogger, upload, mediaUploadTimeoutMs: UPLOAD_TIMEOUT_MS };
  return Buffer.from(proto.Message.encode(await prepareWAMessageMedia(contentOf(file), options)).finish());
}

/** The whole message for one recipient. */
export function withWords(part: Uint8Array, { caption, fileName }: MediaPayload): Buffer {
  const message = proto.Message.decode(part);
  const { imageMessage, videoMessage, documentMessage } = message;
  const captioned = imageMessage ?? videoMessage ?? documentMessage;
  if (captioned && caption !== undefined) captioned.caption = caption;
  if (documentMessage && fileName !== undefined) documentMessage.fileName = fileName;
  // As with every message that Baileys makes (lib/Utils/messages.js, generateWAMessageContent).
  message.messageContextInfo = { messageSecret: randomBytes(32) };
  return Buffer.from(proto.Message.encode(message).finish());
}

function contentOf({ path, mediaType, mimetype, preview }: FileToUpload): AnyMediaMessageContent {
  const media = { url: path };
  switch (mediaType) {
    case "image": {
      const { width, height } = preview ?? {};
      // Given, and be it empty, or Baileys makes one itself.
      const jpegThumbnail = preview?.jpegThumbnail.toString("base64") ?? "";
      return { image: media, mimetype, jpegThumbnail, ...(width && height && { width, height }) };
    }
    case "video":
      return { video: media, mimetype };
    case "audio":
      return { audio: media, mimetype };
    case "voice":
      return { audio: media, ptt: true, mimetype: mimetype === "audio/ogg" ? "audio/ogg; codecs=opus" : mimetype };
    case "sticker":
      return { sticker: media, mimetype };
    case "document":
      return { document: media, mimetype };
  }
}
