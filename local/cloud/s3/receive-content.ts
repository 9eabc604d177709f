import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { AwsError } from "../aws-error.ts";
import { bodyOf } from "../body.ts";
import type { Exchange } from "../exchange.ts";
import type { BlobDraft, Blobs } from "./blobs.ts";
import { headerOf } from "./call.ts";
import { decodeChunks } from "./chunked.ts";
import { badDigest, incompleteBody, invalidRequest, notImplemented } from "./errors.ts";
import { crc32Base64 } from "./object-headers.ts";
import { wrongSha256 } from "./signed-body.ts";

/** Content that arrived whole and is what the client meant to send. A blob is durable, but not yet in the journal. */
export type Content = { size: number; etag: string; crc32: number; inline?: Buffer; blob?: string };

/** Contents up to here are kept in the journal: most of ours are smaller, and a file costs two more syncs. */
export const LARGEST_INLINE_BYTES = 16 * 1024;
/** API reference, PutObject: 5 GiB. */
const LARGEST_OBJECT_BYTES = 5 * 1024 ** 3;

const TRAILER_ONLY = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const OTHER_CHECKSUMS = ["crc32c", "crc64nvme", "sha1", "sha256"];

/**
 * Streams the body of a request to its place and checks every digest that came with it. Memory does not grow with the
 * size. Throws `AwsError` for content that is not what was announced; nothing is kept then.
 */
export async function receiveContent(exchange: Exchange, blobs: Blobs): Promise<Content> {
  const body = bodyOf(exchange.request);
  const announced = checkAnnouncement(exchange);
  const trailers = new Map<string, string>();
  const source: AsyncIterable<Buffer> = announced.chunked ? decodeChunks(body, trailers) : body;
  const digests = { md5: createHash("md5"), sha256: createHash("sha256"), crc32: 0, size: 0 };
  let start: Buffer[] = [];
  let draft: BlobDraft | undefined;
  try {
    for await (const chunk of source) {
      digests.size += chunk.length;
      if (digests.size > LARGEST_OBJECT_BYTES) throw entityTooLarge();
      digests.md5.update(chunk);
      if (announced.sha256 !== undefined) digests.sha256.update(chunk);
      digests.crc32 = crc32(chunk, digests.crc32);
      if (draft) {
        await draft.write(chunk);
        continue;
      }
      start.push(chunk);
      if (digests.size <= LARGEST_INLINE_BYTES) continue;
      draft = await blobs.create();
      for (const part of start) await draft.write(part);
      start = [];
    }
    const md5 = digests.md5.digest();
    if (announced.size !== undefined && announced.size !== digests.size) throw incompleteBody();
    if (announced.sha256 !== undefined && announced.sha256 !== digests.sha256.digest("hex")) throw wrongSha256();
    if (announced.md5 !== undefined && announced.md5 !== md5.toString("base64")) throw badDigest("Content-MD5");
    const expectedCrc32 = announced.crc32 ?? trailers.get("x-amz-checksum-crc32");
    if (expectedCrc32 === undefined && announced.crc32InTrailer) throw badDigest("trailer");
    if (expectedCrc32 !== undefined && expectedCrc32 !== crc32Base64(digests.crc32)) throw badDigest("CRC32");
    await draft?.keep();
    const facts = { size: digests.size, etag: md5.toString("hex"), crc32: digests.crc32 };
    return draft ? { ...facts, blob: draft.id } : { ...facts, inline: Buffer.concat(start) };
  } catch (error) {
    await draft?.discard();
    throw error;
  }
}

/** What the headers say about the body, refused where it cannot be checked. */
function checkAnnouncement(exchange: Exchange) {
  const header = (name: string) => headerOf(exchange, name);
  const hash = header("x-amz-content-sha256") ?? "UNSIGNED-PAYLOAD";
  const chunked = hash === TRAILER_ONLY;
  if (hash.startsWith("STREAMING-") && !chunked) throw notImplemented(`uploads with ${hash}`);
  const trailer = header("x-amz-trailer")?.toLowerCase();
  if (trailer !== undefined && trailer !== "x-amz-checksum-crc32") throw notImplemented(`the trailer ${trailer}`);
  const other = OTHER_CHECKSUMS.find((name) => header(`x-amz-checksum-${name}`) !== undefined);
  if (other !== undefined) throw notImplemented(`the checksum ${other}; use CRC32`);

  const size = header(chunked ? "x-amz-decoded-content-length" : "content-length");
  if (size !== undefined && !/^\d+$/.test(size)) throw invalidRequest("The length of the content is not a number.");
  if (Number(size ?? 0) > LARGEST_OBJECT_BYTES) throw entityTooLarge();
  const md5 = header("content-md5");
  if (md5 !== undefined && Buffer.from(md5, "base64").length !== 16) {
    throw new AwsError("InvalidDigest", 400, "The Content-MD5 you specified was invalid.");
  }
  return {
    chunked,
    size: size === undefined ? undefined : Number(size),
    sha256: /^[0-9a-f]{64}$/.test(hash) ? hash : undefined,
    md5,
    crc32: header("x-amz-checksum-crc32"),
    crc32InTrailer: trailer !== undefined,
  };
}

function entityTooLarge(): AwsError {
  return new AwsError("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed object size.");
}
