import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { FileHandle } from "node:fs/promises";
import { readPayload } from "../store/data-file.ts";
import type { BlobDraft, Blobs } from "./blobs.ts";
import type { StoredObject } from "./buckets.ts";
import type { ByteRange } from "./range.ts";

/** Content that lies where it will stay. A blob is durable, but not yet in the journal. `etag` is the MD5 in hex. */
export type Content = { size: number; etag: string; crc32: number; inline?: Buffer; blob?: string };

/** Contents up to here are kept in the journal: most of ours are smaller, and a file costs two more syncs. */
export const LARGEST_INLINE_BYTES = 16 * 1024;

type Keeping = {
  blobs: Blobs;
  /** Longer content goes into a blob. -1: all of it does. */
  largestInlineBytes: number;
  /** Called with each part before it is written. */
  onChunk?: (chunk: Buffer) => void;
  /** Called when all has come and before it is kept. What it throws, `keepContent` throws, and nothing is kept. */
  check?: (facts: Pick<Content, "size" | "etag" | "crc32">) => void;
};

/** Streams `source` to its place. Memory does not grow with the size. Throws what the source or the disk throws. */
export async function keepContent(source: AsyncIterable<Buffer>, keeping: Keeping): Promise<Content> {
  const { blobs, largestInlineBytes, onChunk, check } = keeping;
  const md5 = createHash("md5");
  const facts = { size: 0, etag: "", crc32: 0 };
  let start: Buffer[] = [];
  let draft: BlobDraft | undefined;
  try {
    if (largestInlineBytes < 0) draft = await blobs.create();
    for await (const chunk of source) {
      facts.size += chunk.length;
      facts.crc32 = crc32(chunk, facts.crc32);
      md5.update(chunk);
      onChunk?.(chunk);
      if (draft) {
        await draft.write(chunk);
        continue;
      }
      start.push(chunk);
      if (facts.size <= largestInlineBytes) continue;
      draft = await blobs.create();
      for (const part of start) await draft.write(part);
      start = [];
    }
    facts.etag = md5.digest("hex");
    check?.(facts);
    await draft?.keep();
    return draft ? { ...facts, blob: draft.id } : { ...facts, inline: Buffer.concat(start) };
  } catch (error) {
    await draft?.discard();
    throw error;
  }
}

/** An object that can be read whatever happens to it meanwhile: its file is open, or its inline content in memory. */
export type OpenContent = { inline: Buffer } | { file: FileHandle };

/** Throws the system's error; ENOENT when the object was replaced since it was looked up. */
export async function openContent(blobs: Blobs, object: Pick<StoredObject, "blob" | "payload">): Promise<OpenContent> {
  if (object.blob !== undefined) return { file: await blobs.open(object.blob) };
  return { inline: object.payload ? await readPayload(object.payload) : Buffer.alloc(0) };
}

export async function closeContent(content: OpenContent): Promise<void> {
  if ("file" in content) await content.file.close();
}

/** The bytes of a range. Nothing for an empty one, whose `last` is before its `first`. */
export async function* readContent(content: OpenContent, { first, last }: ByteRange): AsyncGenerator<Buffer> {
  if (last < first) return;
  if ("inline" in content) yield content.inline.subarray(first, last + 1);
  else yield* content.file.createReadStream({ start: first, end: last, autoClose: false }) as AsyncIterable<Buffer>;
}
