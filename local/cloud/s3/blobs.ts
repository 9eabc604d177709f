import { randomUUID } from "node:crypto";
import { open, readdir, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { makeDirectory, syncDirectory, writeFully } from "../store/data-file.ts";

/** A blob that is being written. Nobody sees it before its id is in the journal. */
export type BlobDraft = {
  id: string;
  write: (chunk: Buffer) => Promise<void>;
  /** Resolves when content and name are durable. */
  keep: () => Promise<void>;
  discard: () => Promise<void>;
};

/** The contents of large objects, one file each under a random name: keys never become paths. */
export class Blobs {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async create(): Promise<BlobDraft> {
    const id = randomUUID();
    const path = join(this.#directory, id);
    const handle = await open(path, "wx", 0o600);
    let offset = 0;
    return {
      id,
      write: async (chunk) => {
        await writeFully(handle, [chunk], offset);
        offset += chunk.length;
      },
      keep: async () => {
        await handle.sync();
        await handle.close();
        await syncDirectory(this.#directory);
      },
      discard: async () => {
        await handle.close();
        await rm(path, { force: true });
      },
    };
  }

  /** Throws the system's error; ENOENT when the object was replaced meanwhile. */
  open(id: string): Promise<FileHandle> {
    return open(join(this.#directory, id), "r");
  }

  /** Readers that have it open still get all of it. */
  async remove(id: string): Promise<void> {
    await rm(join(this.#directory, id), { force: true });
  }

  /** Makes the directory, and removes what a crash left: blobs that no object refers to. */
  async prepare(used: ReadonlySet<string>): Promise<void> {
    await makeDirectory(this.#directory);
    for (const id of await readdir(this.#directory)) {
      if (!used.has(id)) await this.remove(id);
    }
  }
}
