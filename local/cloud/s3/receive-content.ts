import { createHash } from "node:crypto";
import { AwsError } from "../aws-error.ts";
import { bodyOf } from "../body.ts";
import type { Exchange } from "../exchange.ts";
import type { Blobs } from "./blobs.ts";
import { headerOf } from "./call.ts";
import { decodeChunks } from "./chunked.ts";
import { keepContent } from "./content.ts";
import type { Content } from "./content.ts";
import { badDigest, incompleteBody, invalidRequest, notImplemented } from "./errors.ts";
import { crc32Base64 } from "./object-headers.ts";
import { wrongSha256 } from "./signed-body.ts";

/** API reference, PutObject: 5 GiB. */
const LARGEST_OBJECT_BYTES = 5 * 1024 ** 3;

const TRAILER_ONLY = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const OTHER_CHECKSUMS = ["crc32c", "crc64nvme", "sha1", "sha256"];

/**
 * Streams the body of a request to its place and checks every digest that came with it. Throws `AwsError` for content
 * that is not what was announced; nothing is kept then.
 */
export async function receiveContent(exchange: Exchange, blobs: Blobs, largestInlineBytes: number): Promise<Content> {
  const body = bodyOf(exchange.request);
  const announced = checkAnnouncement(exchange);
  const trailers = new Map<string, string>();
  const sha256 = createHash("sha256");
  let size = 0;
  return keepContent(announced.chunked ? decodeChunks(body, trailers) : body, {
    blobs,
    largestInlineBytes,
    onChunk: (chunk) => {
      size += chunk.length;
      if (size > LARGEST_OBJECT_BYTES) throw entityTooLarge();
      if (announced.sha256 !== undefined) sha256.update(chunk);
    },
    check: ({ etag, crc32 }) => {
      if (announced.size !== undefined && announced.size !== size) throw incompleteBody();
      if (announced.sha256 !== undefined && announced.sha256 !== sha256.digest("hex")) throw wrongSha256();
      const md5 = Buffer.from(etag, "hex").toString("base64");
      if (announced.md5 !== undefined && announced.md5 !== md5) throw badDigest("Content-MD5");
      const expectedCrc32 = announced.crc32 ?? trailers.get("x-amz-checksum-crc32");
      if (expectedCrc32 === undefined && announced.crc32InTrailer) throw badDigest("trailer");
      if (expectedCrc32 !== undefined && expectedCrc32 !== crc32Base64(crc32)) throw badDigest("CRC32");
    },
  });
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
