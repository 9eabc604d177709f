import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** A file of the scratch directory. `sha256` in hexadecimal; `head` is its beginning, from which its type can be told. */
export type ScratchFile = { path: string; sizeBytes: number; sha256: string; head: Buffer };

/** As much of a file as file-type looks at (its README, sampleSize). */
const HEAD_BYTES = 4_100;

/**
 * A directory for files that are on their way, so that they need not be in memory. It comes into being with its first
 * file and goes with `dispose`.
 */
export class Scratch {
  #directory: Promise<string> | undefined;
  #files = 0;

  /** Where a new file may be written. */
  async path(): Promise<string> {
    this.#directory ??= mkdtemp(join(tmpdir(), "media-"));
    return join(await this.#directory, String(this.#files++));
  }

  /** Writes what comes to a file. Rejects with what the source or the disk throws. */
  async keep(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<ScratchFile | "too large"> {
    const path = await this.path();
    const hash = createHash("sha256");
    let head = Buffer.alloc(0);
    let sizeBytes = 0;
    const watched = async function* () {
      for await (const chunk of source) {
        sizeBytes += chunk.length;
        if (sizeBytes > maxBytes) return;
        hash.update(chunk);
        if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES - head.length)]);
        yield chunk;
      }
    };
    await pipeline(watched, createWriteStream(path));
    return sizeBytes > maxBytes ? "too large" : { path, sizeBytes, sha256: hash.digest("hex"), head };
  }

  async dispose(): Promise<void> {
    if (this.#directory) await rm(await this.#directory, { recursive: true, force: true });
  }
}
