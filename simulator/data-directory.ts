import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BufferJSON } from "@whiskeysockets/baileys";
import type { Kept, Memory } from "./network/kept.ts";
import { createCertificateKeys, type CertificateKeys } from "./wire/certificates.ts";

const FORMAT = 2;
const FOLDERS: Kept["keptIn"][] = ["accounts", "groups", "media"];
const MIN_PAUSE_MS = 300;
/** Saving takes at most one part in so many of the time, however much changes. */
const PAUSE_PER_WORK = 20;

/**
 * State that survives a restart: `certificates.json` and one file for each kept thing, replaced as a whole (written aside,
 * then renamed). Changes are collected for at least 300 ms, so a simulator that is killed loses the last moments, ratchet
 * steps of its phones among them; one that is disposed of loses nothing.
 */
export class DataDirectory implements Memory {
  readonly #directory: string;
  readonly #dirty = new Set<Kept>();
  #timer: NodeJS.Timeout | undefined;
  #pauseMs = MIN_PAUSE_MS;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;
  #failure: unknown;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<DataDirectory> {
    for (const folder of FOLDERS) await mkdir(join(directory, folder), { recursive: true });
    return new DataDirectory(directory);
  }

  /** The keys behind the certificates, made at the first start. */
  async certificateKeys(): Promise<CertificateKeys> {
    const path = join(this.#directory, "certificates.json");
    const stored = await readJson<{ format: number; keys: CertificateKeys }>(path);
    if (stored) return stored.keys;
    const keys = createCertificateKeys();
    await replace(path, JSON.stringify({ format: FORMAT, keys }, BufferJSON.replacer));
    return keys;
  }

  /** The records of all that was saved in a folder. Throws if a file cannot be read as one. */
  async records<T>(folder: Kept["keptIn"]): Promise<T[]> {
    const records: T[] = [];
    for (const name of await readdir(join(this.#directory, folder))) {
      if (!name.endsWith(".json")) continue;
      const stored = await readJson<{ format: number; record: T }>(join(this.#directory, folder, name));
      if (stored) records.push(stored.record);
    }
    return records;
  }

  changed(thing: Kept): void {
    if (this.#isClosed) return;
    this.#dirty.add(thing);
    this.#timer ??= setTimeout(() => this.#save(), this.#pauseMs).unref();
  }

  gone(thing: Kept): void {
    this.#dirty.delete(thing);
    const path = this.#pathOf(thing);
    this.#work = this.#work.then(() => rm(path, { force: true }));
  }

  cleared(): void {
    this.#dirty.clear();
    this.#work = this.#removeAll(this.#work);
  }

  /** Saves what is left and takes no more changes. Throws if that fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#save();
    await this.#work;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#work = this.#saveDirty(this.#work);
  }

  /** What cannot be saved stays dirty and is tried again with the next change. */
  async #saveDirty(previous: Promise<void>): Promise<void> {
    await previous;
    const startedAt = performance.now();
    const batch = [...this.#dirty];
    this.#dirty.clear();
    this.#failure = undefined;
    for (const thing of batch) {
      const text = JSON.stringify({ format: FORMAT, record: thing.toRecord() }, BufferJSON.replacer);
      await replace(this.#pathOf(thing), text).catch((error: unknown) => {
        this.#dirty.add(thing);
        this.#failure = error;
      });
    }
    this.#pauseMs = Math.max(MIN_PAUSE_MS, PAUSE_PER_WORK * (performance.now() - startedAt));
  }

  async #removeAll(previous: Promise<void>): Promise<void> {
    await previous;
    for (const folder of FOLDERS) {
      const directory = join(this.#directory, folder);
      const saved = (await readdir(directory)).filter((name) => name.endsWith(".json"));
      for (const name of saved) await rm(join(directory, name), { force: true });
    }
  }

  #pathOf({ keptIn, keptAs }: Kept): string {
    return join(this.#directory, keptIn, `${encodeURIComponent(keptAs)}.json`);
  }
}

async function replace(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
}

async function readJson<T extends { format: number }>(path: string): Promise<T | undefined> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const stored = JSON.parse(text, BufferJSON.reviver) as T;
  if (stored.format !== FORMAT) throw new Error(`${path} has format ${stored.format}, this simulator reads ${FORMAT}`);
  return stored;
}
