import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Kept } from "../network/kept.ts";

/** Who put a file there, and for whom; by this a `media-gone` fault is matched. */
export type MediaOwner = {
  by: { phone: string; device: number };
  /** Numbers of those who were sent it, as far as it is known: what clients upload is for whoever has the key. */
  audience?: string[] | undefined;
};

export type MediaFile = MediaOwner & {
  id: string;
  size: number;
  /** Nobody gets it any more; the bytes stay, for the phone that uploads it again. */
  isGone: boolean;
  /** Safe from `media-gone`: what was uploaded again on request, pictures of people, app state. */
  isLasting: boolean;
};

export type MediaRecord = { files: MediaFile[] };
export type SaveOutcome = { outcome: "saved"; file: MediaFile } | { outcome: "too-large" } | { outcome: "wrong-hash" };

/** The host in all addresses, as Baileys' `DEF_MEDIA_HOST` says; clients of the simulator connect it to a local port. */
export const MEDIA_HOST = "mmg.whatsapp.net";
export const MAX_FILE_BYTES = 100 * 1024 * 1024;
/** More than this is not kept: the oldest files go. */
const MAX_TOTAL_BYTES = 2 * 1024 * 1024 * 1024;
const MAX_FILES = 5_000;
/** How directories without a data directory to live in are called. */
const TEMPORARY = "simulator-media-";
const PATH = /^\/v\/([0-9a-f]{32})$/;

/** The bytes of all media, encrypted by whoever uploaded them, as files; in memory is only what they are. */
export class MediaLibrary implements Kept {
  readonly keptIn = "media";
  readonly keptAs = "index";
  readonly #directory: string;
  readonly #isTemporary: boolean;
  readonly #files = new Map<string, MediaFile>();
  #totalBytes = 0;

  private constructor(directory: string, isTemporary: boolean) {
    this.#directory = directory;
    this.#isTemporary = isTemporary;
  }

  /** In `directory/media`, or in a temporary directory that `dispose` removes. Files that nobody knows are deleted. */
  static async open(directory: string | undefined, record?: MediaRecord): Promise<MediaLibrary> {
    const path = directory === undefined ? await mkdtemp(join(tmpdir(), TEMPORARY)) : join(directory, "media");
    await mkdir(path, { recursive: true });
    const library = new MediaLibrary(path, directory === undefined);
    for (const file of record?.files ?? []) library.#insert(file);
    for (const name of await readdir(path)) {
      if (!name.endsWith(".json") && !library.#files.has(name)) await rm(join(path, name), { force: true });
    }
    return library;
  }

  /** Takes a file as it comes in; one that is too large or not what `sha256` says is not kept. Throws if the stream breaks. */
  async save(source: Readable, owner: MediaOwner, sha256?: Buffer): Promise<SaveOutcome> {
    const id = randomBytes(16).toString("hex");
    const path = this.#pathOf(id);
    const hash = createHash("sha256");
    let size = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        size += chunk.length;
        hash.update(chunk);
        if (size > MAX_FILE_BYTES) done(new TooLarge());
        else done(null, chunk);
      },
    });
    try {
      await pipeline(source, counted, createWriteStream(`${path}.part`));
    } catch (error) {
      await rm(`${path}.part`, { force: true });
      if (error instanceof TooLarge) return { outcome: "too-large" };
      throw error;
    }
    if (sha256 && !hash.digest().equals(sha256)) {
      await rm(`${path}.part`, { force: true });
      return { outcome: "wrong-hash" };
    }
    await rename(`${path}.part`, path);
    return { outcome: "saved", file: this.#insert({ id, size, isGone: false, isLasting: false, ...owner }) };
  }

  /** Takes a file that is at hand. */
  async add(
    bytes: Buffer,
    owner: MediaOwner,
    { isLasting = false } = {},
  ): Promise<{ directPath: string; url: string }> {
    const saved = await this.save(Readable.from([bytes]), owner);
    if (saved.outcome !== "saved") throw new Error(`${bytes.length} bytes are too many for a file`);
    saved.file.isLasting = isLasting;
    return addressOf(saved.file);
  }

  find(directPath: string): MediaFile | undefined {
    const id = PATH.exec(directPath.split("?")[0] ?? "")?.[1];
    return id === undefined ? undefined : this.#files.get(id);
  }

  /** The bytes from `start` to `end`, both included. */
  stream({ id }: MediaFile, range: { start: number; end: number }): Readable {
    return createReadStream(this.#pathOf(id), range);
  }

  /** A whole file; `undefined` if it is unknown or gone. */
  async read(directPath: string): Promise<Buffer | undefined> {
    const file = this.find(directPath);
    return file && !file.isGone ? readFile(this.#pathOf(file.id)).catch(() => undefined) : undefined;
  }

  /** The same bytes at a new address, as a phone does that is asked to upload them again. */
  async renew(directPath: string): Promise<{ directPath: string; url: string } | undefined> {
    const file = this.find(directPath);
    if (!file) return undefined;
    const id = randomBytes(16).toString("hex");
    try {
      await copyFile(this.#pathOf(file.id), this.#pathOf(id));
    } catch {
      return undefined;
    }
    return addressOf(this.#insert({ ...file, id, isGone: false, isLasting: true }));
  }

  clear(): void {
    for (const file of this.#files.values()) this.#remove(file);
  }

  toRecord(): MediaRecord {
    return { files: [...this.#files.values()] };
  }

  async dispose(): Promise<void> {
    if (this.#isTemporary) await rm(this.#directory, { recursive: true, force: true });
  }

  #insert(file: MediaFile): MediaFile {
    this.#files.set(file.id, file);
    this.#totalBytes += file.size;
    for (const oldest of this.#files.values()) {
      if (this.#totalBytes <= MAX_TOTAL_BYTES && this.#files.size <= MAX_FILES) break;
      this.#remove(oldest);
    }
    return file;
  }

  #remove({ id, size }: MediaFile): void {
    if (!this.#files.delete(id)) return;
    this.#totalBytes -= size;
    void rm(this.#pathOf(id), { force: true }).catch(() => {});
  }

  #pathOf(id: string): string {
    return join(this.#directory, id);
  }
}

class TooLarge extends Error {}

/** Where clients find a file. */
export function addressOf({ id }: MediaFile): { directPath: string; url: string } {
  const directPath = `/v/${id}`;
  return { directPath, url: `https://${MEDIA_HOST}${directPath}` };
}
