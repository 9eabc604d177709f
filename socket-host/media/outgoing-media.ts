import type { MediaPayload } from "../../shared/commands.ts";
import { MAX_MEDIA_BYTES, mediaObject } from "../../shared/media.ts";
import type { MediaFiles } from "../../shared/media-files.ts";
import { Scratch } from "../../shared/scratch.ts";
import type { UploadFile } from "../whatsapp/media-part.ts";
import { MediaMissingError } from "./media-missing-error.ts";
import { previewOf } from "./preview.ts";
import type { Slots } from "./slots.ts";
import { toVoice } from "./to-voice.ts";

type Uploaded = { part: Promise<Buffer>; at: number };

/** Uploads that a device remembers: a few kilobytes each. */
const MAX_REMEMBERED = 50;
/** WhatsApp keeps a file for weeks after its upload; no job takes longer than this. */
const REUSED_FOR_MS = 12 * 3_600_000;
const OPUS = "audio/ogg";

/**
 * The files of what a device sends. Each is uploaded to WhatsApp once, however many recipients it has, and also over
 * reconnects.
 */
export class OutgoingMedia {
  readonly #files: MediaFiles;
  readonly #slots: Slots;
  /** By what decides the upload, those that were used last at the end. */
  readonly #uploads = new Map<string, Uploaded>();

  /** @param slots how many files the whole host has in hand at a time */
  constructor(files: MediaFiles, slots: Slots) {
    this.#files = files;
    this.#slots = slots;
  }

  /**
   * The part of a message that is its file, uploaded before or now. Rejects with `MediaMissingError`, or when the bucket
   * or WhatsApp's media server fails.
   */
  async part(message: MediaPayload, upload: UploadFile): Promise<Buffer> {
    const key = `${message.mediaType}|${message.media.sha256}`;
    const known = this.#uploads.get(key);
    const isFresh = known && Date.now() - known.at < REUSED_FOR_MS;
    const uploaded = isFresh ? known : { part: this.#upload(message, upload), at: Date.now() };
    this.#uploads.delete(key);
    this.#uploads.set(key, uploaded);
    const [oldest] = this.#uploads.keys();
    if (this.#uploads.size > MAX_REMEMBERED && oldest !== undefined) this.#uploads.delete(oldest);
    try {
      return await uploaded.part;
    } catch (error) {
      if (this.#uploads.get(key) === uploaded) this.#uploads.delete(key);
      throw error;
    }
  }

  async #upload({ media, mediaType }: MediaPayload, upload: UploadFile): Promise<Buffer> {
    return await this.#slots.run(async () => {
      const scratch = new Scratch();
      try {
        const stored = await this.#files.open(mediaObject(media));
        if (!stored) throw new MediaMissingError();
        const kept = await scratch.keep(stored.body, MAX_MEDIA_BYTES);
        if (kept === "too large" || kept.sha256 !== media.sha256) throw new MediaMissingError();
        const { mimetype } = media;
        const voice = mediaType === "voice" && mimetype !== OPUS ? await scratch.path() : undefined;
        if (voice !== undefined && (await toVoice(kept.path, voice)))
          return await upload({ path: voice, mediaType, mimetype: OPUS });
        const preview = mediaType === "image" ? await previewOf(kept.path) : undefined;
        return await upload({ path: kept.path, mediaType, mimetype, preview });
      } finally {
        await scratch.dispose();
      }
    });
  }
}
