import type { AwsError } from "../aws-error.ts";
import type { StoredObject } from "./buckets.ts";
import { headerOf } from "./call.ts";
import type { S3Action, S3Call, S3Context } from "./call.ts";
import { checkCopyConditions } from "./conditions.ts";
import { closeContent, keepContent, LARGEST_INLINE_BYTES, readContent } from "./content.ts";
import type { Content } from "./content.ts";
import { invalidArgument, invalidRequest, notImplemented } from "./errors.ts";
import { openObject } from "./get-object.ts";
import { checksumHeaders, expirationHeader, headersToKeep } from "./object-headers.ts";
import { checkedKeyBytes } from "./object-key.ts";
import type { KeyBytes } from "./object-key.ts";
import type { ByteRange } from "./range.ts";
import { s3Document, sendXml, textElement } from "./xml.ts";
import { writeObject } from "./write-object.ts";

/** API reference, CopyObject: larger objects are copied by parts. */
const LARGEST_COPY_BYTES = 5 * 1024 ** 3;

export const copyObject: S3Action = async (context, call) => {
  const { exchange, bucket, key } = call;
  const directive = headerOf(exchange, "x-amz-metadata-directive") ?? "COPY";
  if (directive !== "COPY" && directive !== "REPLACE") throw invalidArgument("Unknown metadata directive.");
  const from = copySource(call);
  if (directive === "COPY" && from.bucket === bucket && from.key === key) {
    throw invalidRequest(
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const replacing = directive === "REPLACE" ? headersToKeep(exchange) : undefined;
  const { content, object } = await copyContent(context, call, LARGEST_INLINE_BYTES);
  const headers = directive === "REPLACE" ? replacing : object.headers;
  const modifiedAt = await writeObject(context, call, { content, headers });
  for (const [name, value] of Object.entries(expirationHeader(context, call, modifiedAt))) {
    exchange.response.setHeader(name, value);
  }
  const checksum = checksumHeaders(content);
  const elements = [
    textElement("LastModified", new Date(modifiedAt).toISOString()),
    textElement("ETag", `"${content.etag}"`),
    textElement("ChecksumCRC32", checksum["x-amz-checksum-crc32"]),
    textElement("ChecksumType", checksum["x-amz-checksum-type"]),
  ];
  sendXml(exchange.response, 200, s3Document("CopyObjectResult", elements));
};

/**
 * Copies what the headers name, or the range of it, to content of its own: later changes of the source do not matter.
 * Throws `AwsError`, also when a condition on the source does not hold.
 */
export async function copyContent(
  context: S3Context,
  call: S3Call,
  largestInlineBytes: number,
): Promise<{ content: Content; object: StoredObject }> {
  const { object, content: source } = await openObject(context, copySource(call));
  try {
    checkCopyConditions(call.exchange, object);
    const range = copyRange(headerOf(call.exchange, "x-amz-copy-source-range"), object.size);
    if (range.last - range.first >= LARGEST_COPY_BYTES) {
      throw invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source.");
    }
    const { blobs } = context;
    return { object, content: await keepContent(readContent(source, range), { blobs, largestInlineBytes }) };
  } finally {
    await closeContent(source);
  }
}

/** `bucket/key` or `/bucket/key`, percent-encoded (API reference, `x-amz-copy-source`). */
function copySource({ exchange }: S3Call): { bucket: string; key: KeyBytes } {
  const header = headerOf(exchange, "x-amz-copy-source") ?? "";
  if (header.includes("?versionId=")) throw notImplemented("versions");
  const [, bucket, key] = /^\/?([^/]+)\/([^]+)$/.exec(decodeSource(header)) ?? [];
  if (bucket === undefined || key === undefined) throw invalidSource();
  return { bucket, key: checkedKeyBytes(key) };
}

function decodeSource(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidSource();
  }
}

function invalidSource(): AwsError {
  return invalidArgument("Invalid copy source object key");
}

/** Unlike in a Range header, both ends must be there and within the source. */
function copyRange(header: string | undefined, size: number): ByteRange {
  if (header === undefined) return { first: 0, last: size - 1 };
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header) ?? [];
  if (first === undefined || Number(first) > Number(last)) {
    throw invalidArgument(
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
    );
  }
  if (Number(last) < size) return { first: Number(first), last: Number(last) };
  throw invalidArgument(`Range specified is not valid for source object of size: ${size}`);
}
