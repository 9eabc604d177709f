/** Files of messages: what may be sent, and where they lie in the media bucket. Everything there expires. */
import { createHash } from "node:crypto";
import * as z from "zod";
import type { DeviceId, MediaId, UserId } from "./ids.ts";

/** The contract's limit of what is sent. */
export const MAX_MEDIA_BYTES = 16 * 1024 * 1024;

/** What a file is to its recipient; `voice` is an audio that plays as a voice note. */
export const MEDIA_KINDS = ["image", "video", "document", "audio", "voice", "sticker"] as const;
export type MediaKind = (typeof MEDIA_KINDS)[number];

/** The types that may be sent unless `MEDIA_TYPES` says otherwise: the contract's, and those of its other kinds. */
export const USUAL_MEDIA_TYPES = [
  "image/jpeg",
  "image/png",
  "image/gif",
  "video/mp4",
  "video/avi",
  "application/pdf",
  "application/msword",
  "image/webp",
  "audio/ogg",
  "audio/mpeg",
  "audio/mp4",
  "audio/aac",
  "audio/amr",
];

/** A file in the bucket that is ready to be sent: `mimetype` is what its content is, `sha256` in hexadecimal names it. */
export const storedMedia = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  mimetype: z.string(),
  sizeBytes: z.int().min(1).max(MAX_MEDIA_BYTES),
});
export type StoredMedia = z.infer<typeof storedMedia>;

/** What is sent, by its content: the same file is stored once, however often it comes. */
export const mediaObject = ({ sha256 }: Pick<StoredMedia, "sha256">) => `media/${sha256}`;
/** What a client has uploaded, until it is sent for the first time. */
export const uploadObject = (mediaId: MediaId) => `uploads/${mediaId}`;

type Place = { userId: UserId; deviceId: DeviceId };
/** What came with a message. Senders choose message ids, so they are hashed. */
export const receivedObject = ({ userId, deviceId }: Place, messageId: string) =>
  `received/${userId}/${deviceId}/${createHash("sha256").update(messageId).digest("hex")}`;

/** Where clients ask for it. */
export const receivedMediaPath = (deviceId: DeviceId, messageId: string) =>
  `/api/whatsapp-multi-device/devices/${deviceId}/media/${encodeURIComponent(messageId)}`;
