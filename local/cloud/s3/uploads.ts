import { randomUUID } from "node:crypto";
import type { Upload } from "./buckets.ts";
import { bucketOf, headerOf } from "./call.ts";
import type { S3Action, S3Call, S3Context } from "./call.ts";
import { copyContent } from "./copy-object.ts";
import { invalidArgument, invalidRequest, noSuchUpload, notImplemented } from "./errors.ts";
import { crc32Base64, headersToKeep } from "./object-headers.ts";
import { keyText } from "./object-key.ts";
import { receiveContent } from "./receive-content.ts";
import type { ChecksumType, S3Record } from "./records.ts";
import { s3Document, sendXml, textElement } from "./xml.ts";

/** API reference, UploadPart. */
const HIGHEST_PART_NUMBER = 10_000;
/** Parts always are blobs: they are large but for the last, and go away together. */
const NEVER_INLINE = -1;

export const createMultipartUpload: S3Action = async (context, call) => {
  const { name: bucket } = bucketOf(context, call);
  const key = keyText(call.key);
  const headers = headersToKeep(call.exchange);
  const checksumType = requestedChecksumType(call);
  const upload = randomUUID();
  const facts = { startedAt: context.now(), headers, checksumType };
  await context.commit({ records: [{ type: "s3.upload", bucket, upload, key, ...facts }] });
  bucketOf(context, call);
  if (checksumType) {
    call.exchange.response.setHeader("x-amz-checksum-algorithm", "CRC32");
    call.exchange.response.setHeader("x-amz-checksum-type", checksumType);
  }
  const elements = [textElement("Bucket", bucket), textElement("Key", key), textElement("UploadId", upload)];
  sendXml(call.exchange.response, 200, s3Document("InitiateMultipartUploadResult", elements));
};

/** Undefined when the client wants none. For CRC32 S3 takes COMPOSITE unless told otherwise (API reference). */
function requestedChecksumType({ exchange }: S3Call): ChecksumType | undefined {
  const algorithm = headerOf(exchange, "x-amz-checksum-algorithm");
  const type = headerOf(exchange, "x-amz-checksum-type");
  if (algorithm === undefined && type !== undefined) {
    throw invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
  }
  if (algorithm === undefined) return undefined;
  if (algorithm.toUpperCase() !== "CRC32") throw notImplemented(`the checksum ${algorithm}; use CRC32`);
  if (type === undefined || type === "COMPOSITE") return "COMPOSITE";
  if (type === "FULL_OBJECT") return "FULL_OBJECT";
  throw invalidRequest("Value for x-amz-checksum-type header is invalid.");
}

/** A part that is sent again replaces the one before. */
export const uploadPart: S3Action = async (context, call) => {
  const number = partNumber(call);
  uploadOf(context, call);
  const content = await receiveContent(call.exchange, context.blobs, NEVER_INLINE);
  await keepPart(context, call, number, content);
  call.exchange.response.writeHead(200, {
    etag: `"${content.etag}"`,
    "x-amz-checksum-crc32": crc32Base64(content.crc32),
    "content-length": 0,
  });
  call.exchange.response.end();
};

export const uploadPartCopy: S3Action = async (context, call) => {
  const number = partNumber(call);
  uploadOf(context, call);
  const { content } = await copyContent(context, call, NEVER_INLINE);
  const modifiedAt = await keepPart(context, call, number, content);
  const elements = [
    textElement("LastModified", new Date(modifiedAt).toISOString()),
    textElement("ETag", `"${content.etag}"`),
    textElement("ChecksumCRC32", crc32Base64(content.crc32)),
  ];
  sendXml(call.exchange.response, 200, s3Document("CopyPartResult", elements));
};

type PartContent = { size: number; etag: string; crc32: number; blob?: string };

async function keepPart(context: S3Context, call: S3Call, number: number, content: PartContent): Promise<number> {
  const { size, etag, crc32, blob = "" } = content;
  try {
    return await lockUpload(context, call, async () => {
      const { id: upload } = uploadOf(context, call);
      const modifiedAt = context.now();
      const facts = { size, etag, crc32, blob, modifiedAt };
      await context.commit({ records: [{ type: "s3.part", bucket: call.bucket, upload, number, ...facts }] });
      // The bucket may have been deleted meanwhile.
      uploadOf(context, call);
      return modifiedAt;
    });
  } catch (error) {
    await context.blobs.remove(blob);
    throw error;
  }
}

export const abortMultipartUpload: S3Action = async (context, call) => {
  await lockUpload(context, call, async () => {
    const { id: upload } = uploadOf(context, call);
    const end: S3Record = { type: "s3.uploadEnded", bucket: call.bucket, upload };
    await context.commit({ records: [end] });
  });
  call.exchange.response.writeHead(204);
  call.exchange.response.end();
};

/** Throws `NoSuchBucket` or `NoSuchUpload`. */
export function uploadOf(context: S3Context, call: S3Call): Upload {
  const id = call.exchange.url.query.get("uploadId") ?? "";
  const upload = bucketOf(context, call).uploads.get(id);
  if (!upload || upload.key !== call.key) throw noSuchUpload(id);
  return upload;
}

/** Parts cannot come, and the upload cannot end, while `work` runs. (No key of an object begins with a bucket `?…`.) */
export function lockUpload<T>({ locks }: S3Context, { exchange }: S3Call, work: () => Promise<T>): Promise<T> {
  return locks.run(`?${exchange.url.query.get("uploadId")}`, work);
}

function partNumber({ exchange }: S3Call): number {
  const text = exchange.url.query.get("partNumber") ?? "";
  const number = Number(text);
  if (/^\d{1,5}$/.test(text) && number >= 1 && number <= HIGHEST_PART_NUMBER) return number;
  throw invalidArgument(`Part number must be an integer between 1 and ${HIGHEST_PART_NUMBER}, inclusive`);
}
