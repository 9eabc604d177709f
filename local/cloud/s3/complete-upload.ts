import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { AwsError } from "../aws-error.ts";
import type { Blobs } from "./blobs.ts";
import type { Upload } from "./buckets.ts";
import { bucketOf, headerOf } from "./call.ts";
import type { S3Action, S3Call, S3Context } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import { closeContent, keepContent, LARGEST_INLINE_BYTES, openContent, readContent } from "./content.ts";
import type { Content } from "./content.ts";
import { badDigest, invalidRequest, malformedXml } from "./errors.ts";
import { checksumHeaders, crc32Base64, expirationHeader } from "./object-headers.ts";
import { keyText } from "./object-key.ts";
import type { CompletedUpload, PartFacts, S3Record } from "./records.ts";
import { readSignedBody } from "./signed-body.ts";
import { lockUpload, uploadOf } from "./uploads.ts";
import { writeObject } from "./write-object.ts";
import { childText, parseXml, s3Document, sendXml, textElement } from "./xml.ts";

/** 10,000 parts with number, ETag and checksum. */
const LONGEST_BODY_BYTES = 4 * 1024 * 1024;
/** User guide, "multipart upload limits": all parts but the last. */
const SMALLEST_PART_BYTES = 5 * 1024 * 1024;

/** Joins the parts that the request names into the object. Parts that it does not name are gone afterwards. */
export const completeMultipartUpload: S3Action = async (context, call) => {
  const { exchange } = call;
  const named = parseParts((await readSignedBody(exchange, LONGEST_BODY_BYTES)).toString("utf8"));
  const { etag, modifiedAt, ...checksums } = await lockUpload(context, call, async () => {
    return completedBefore(context, call, named) ?? complete(context, call, named);
  });
  for (const [name, value] of Object.entries(expirationHeader(context, call, modifiedAt))) {
    exchange.response.setHeader(name, value);
  }
  const checksum = checksumHeaders(checksums);
  const elements = [
    textElement("Location", `http://${exchange.request.headers.host}${exchange.url.path}`),
    textElement("Bucket", call.bucket),
    textElement("Key", keyText(call.key)),
    textElement("ETag", `"${etag}"`),
    textElement("ChecksumCRC32", checksum["x-amz-checksum-crc32"]),
    textElement("ChecksumType", checksum["x-amz-checksum-type"]),
  ];
  sendXml(exchange.response, 200, s3Document("CompleteMultipartUploadResult", elements));
};

/** The client may not have got the answer to the same request: it gets it again, whatever became of the object. */
function completedBefore(context: S3Context, call: S3Call, named: readonly NamedPart[]): CompletedUpload | undefined {
  const upload = call.exchange.url.query.get("uploadId") ?? "";
  const completed = context.buckets.completedUpload(bucketOf(context, call), upload);
  return completed?.key === keyText(call.key) && completed.request === hashOf(named) ? completed : undefined;
}

async function complete(context: S3Context, call: S3Call, named: readonly NamedPart[]): Promise<CompletedUpload> {
  const upload = uploadOf(context, call);
  const key = keyText(call.key);
  checkWriteConditions(call.exchange, key, bucketOf(context, call).objects.get(call.key));
  const parts = chooseParts(upload, named);
  const joined = await keepContent(contentOf(parts, context.blobs), {
    blobs: context.blobs,
    largestInlineBytes: LARGEST_INLINE_BYTES,
    check: (facts) => checkWhole(call, upload, parts, facts),
  });
  const content: Content = { ...joined, etag: compositeEtag(parts) };
  const composite = upload.checksumType === "COMPOSITE" ? { compositeCrc32: compositeCrc32(parts) } : {};
  const { headers, id } = upload;
  const facts = { key, request: hashOf(named), etag: content.etag, crc32: content.crc32, ...composite };
  const endOfUpload = (modifiedAt: number): S3Record => {
    return { type: "s3.uploadEnded", bucket: call.bucket, upload: id, completed: { ...facts, modifiedAt } };
  };
  const modifiedAt = await writeObject(context, call, { content, headers, endOfUpload, ...composite });
  return { ...facts, modifiedAt };
}

function hashOf(named: readonly NamedPart[]): string {
  return createHash("sha256").update(JSON.stringify(named)).digest("base64url");
}

type NamedPart = { number: number; etag: string; crc32: string | undefined };

function parseParts(document: string): NamedPart[] {
  const root = parseXml(document);
  const parts = root.children.filter(({ name }) => name === "Part");
  if (root.name !== "CompleteMultipartUpload" || parts.length === 0) throw malformedXml();
  return parts.map((part) => {
    const number = childText(part, "PartNumber") ?? "";
    const etag = childText(part, "ETag");
    if (etag === undefined || !/^\d{1,5}$/.test(number.trim())) throw malformedXml();
    return { number: Number(number), etag: etag.replaceAll('"', "").trim(), crc32: childText(part, "ChecksumCRC32") };
  });
}

function chooseParts(upload: Upload, named: readonly NamedPart[]): PartFacts[] {
  if (named.some(({ number }, index) => index > 0 && number <= (named[index - 1]?.number ?? 0))) {
    const message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
    throw new AwsError("InvalidPartOrder", 400, message);
  }
  return named.map(({ number, etag, crc32 }, index) => {
    const part = upload.parts.get(number);
    if (!part || part.etag !== etag || (crc32 !== undefined && crc32 !== crc32Base64(part.crc32))) {
      const message =
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
      throw new AwsError("InvalidPart", 400, message, { details: { PartNumber: String(number), ETag: etag } });
    }
    if (index < named.length - 1 && part.size < SMALLEST_PART_BYTES) {
      const message = "Your proposed upload is smaller than the minimum allowed size";
      throw new AwsError("EntityTooSmall", 400, message, { details: { PartNumber: String(number), ETag: etag } });
    }
    return part;
  });
}

/** What the headers say about the whole object (API reference, CompleteMultipartUpload). */
function checkWhole(
  { exchange }: S3Call,
  upload: Upload,
  parts: readonly PartFacts[],
  { size, crc32 }: Pick<Content, "size" | "crc32">,
): void {
  const announcedSize = headerOf(exchange, "x-amz-mp-object-size");
  if (announcedSize !== undefined && announcedSize !== String(size)) {
    throw invalidRequest("The provided 'x-amz-mp-object-size' header value does not match what was computed.");
  }
  const announced = headerOf(exchange, "x-amz-checksum-crc32");
  if (announced === undefined) return;
  const expected = upload.checksumType === "COMPOSITE" ? compositeCrc32(parts) : crc32Base64(crc32);
  // A composite checksum may come with or without the number of parts.
  if (announced !== expected && announced !== expected.replace(/-\d+$/, "")) throw badDigest("CRC32");
}

async function* contentOf(parts: readonly PartFacts[], blobs: Blobs): AsyncGenerator<Buffer> {
  for (const { blob, size } of parts) {
    const content = await openContent(blobs, { blob, payload: undefined });
    try {
      yield* readContent(content, { first: 0, last: size - 1 });
    } finally {
      await closeContent(content);
    }
  }
}

/** MD5 over the MD5s of the parts, and their number (user guide, "Checking object integrity"). */
function compositeEtag(parts: readonly PartFacts[]): string {
  const digests = parts.map(({ etag }) => Buffer.from(etag, "hex"));
  return `${createHash("md5").update(Buffer.concat(digests)).digest("hex")}-${parts.length}`;
}

function compositeCrc32(parts: readonly PartFacts[]): string {
  const digests = parts.map(({ crc32 }) => Buffer.from(crc32Base64(crc32), "base64"));
  return `${crc32Base64(crc32(Buffer.concat(digests)))}-${parts.length}`;
}
