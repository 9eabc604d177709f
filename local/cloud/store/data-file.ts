import { mkdir, open, rename, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Where a payload lies. A compaction moves it: it then changes this object in place, for all who hold it. */
export type PayloadLocation = { file: DataFile; offset: number; length: number };

/** One file of the store, open for as long as somebody may read from it. */
export class DataFile {
  #path: string;
  readonly handle: FileHandle;
  #readers = 0;
  #retired = false;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.handle = handle;
  }

  /** `flags` as in `fs.open`. Throws the system's error. */
  static async open(path: string, flags: "r+" | "wx+"): Promise<DataFile> {
    return new DataFile(path, await open(path, flags, 0o600));
  }

  get path(): string {
    return this.#path;
  }

  /** Throws when the file ends before `offset + length`. */
  async read(offset: number, length: number): Promise<Buffer> {
    this.#readers += 1;
    try {
      const bytes = Buffer.allocUnsafe(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await this.handle.read(bytes, filled, length - filled, offset + filled);
        if (bytesRead === 0) throw new Error(`${this.#path} ends before byte ${offset + length}`);
        filled += bytesRead;
      }
      return bytes;
    } finally {
      this.#readers -= 1;
      if (this.#retired) await this.close();
    }
  }

  /** Gives the file another name, over a file that has it. */
  async rename(path: string): Promise<void> {
    await rename(this.#path, path);
    this.#path = path;
  }

  /** Removes the file from the directory; reads under way still finish. */
  async retire(): Promise<void> {
    await unlink(this.#path);
    this.#retired = true;
    await this.close();
  }

  /** Closes the file, after the last reader if it is being read. */
  async close(): Promise<void> {
    this.#retired = true;
    if (this.#readers === 0) await this.handle.close();
  }
}

/** Reads one payload. Throws the system's error. */
export function readPayload({ file, offset, length }: PayloadLocation): Promise<Buffer> {
  return file.read(offset, length);
}

/** Writes all of `chunks` at `position`; the system may take them in several pieces. */
export async function writeFully(handle: FileHandle, chunks: readonly Uint8Array[], position: number): Promise<void> {
  let rest = [...chunks];
  let offset = position;
  while (rest.length > 0) {
    const { bytesWritten } = await handle.writev(rest.slice(0, WRITEV_BUFFERS), offset);
    offset += bytesWritten;
    rest = dropBytes(rest, bytesWritten);
  }
}

/** IOV_MAX of Linux and macOS. */
const WRITEV_BUFFERS = 1024;

function dropBytes(chunks: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  const index = chunks.findIndex((chunk) => {
    if (chunk.length > left) return true;
    left -= chunk.length;
    return false;
  });
  const first = chunks[index];
  return first ? [first.subarray(left), ...chunks.slice(index + 1)] : [];
}

/** Creates a directory, private to this user and durable with its name, unless it is there already. */
export async function makeDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  const parent = dirname(first);
  for (let created = resolve(path); created !== parent; created = dirname(created))
    await syncDirectory(dirname(created));
}

/** Makes creations, renames and removals in a directory durable (fsync(2): the file's own sync does not cover its name). */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
