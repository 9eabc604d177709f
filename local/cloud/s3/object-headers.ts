import { AwsError } from "../aws-error.ts";
import type { Exchange } from "../exchange.ts";
import type { StoredObject } from "./buckets.ts";
import { headerOf } from "./call.ts";
import type { S3Call, S3Context } from "./call.ts";
import { invalidArgument } from "./errors.ts";
import { objectExpiry } from "./lifecycle-rule.ts";

const DEFAULT_TYPE = "application/octet-stream";
const KEPT_HEADERS = ["cache-control", "content-disposition", "content-language", "expires"];
const OVERRIDABLE = [
  "cache-control",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-type",
  "expires",
];
const META = "x-amz-meta-";
/** User guide, "Working with object metadata": names and values together. */
const LONGEST_METADATA_BYTES = 2048;

/** What of a PUT request comes back with the object; undefined when there is nothing but the default. */
export function headersToKeep(exchange: Exchange): Record<string, string> | undefined {
  const kept: Record<string, string> = {};
  const type = headerOf(exchange, "content-type");
  if (type !== undefined && type !== DEFAULT_TYPE) kept["content-type"] = type;
  const encodings = (headerOf(exchange, "content-encoding") ?? "").split(",").map((name) => name.trim());
  const encoding = encodings.filter((name) => name !== "" && name !== "aws-chunked").join(",");
  if (encoding !== "") kept["content-encoding"] = encoding;
  for (const name of KEPT_HEADERS) {
    const value = headerOf(exchange, name);
    if (value !== undefined) kept[name] = value;
  }
  const metadata = userMetadata(exchange);
  return Object.keys(kept).length + metadata.length > 0 ? { ...kept, ...Object.fromEntries(metadata) } : undefined;
}

function userMetadata({ request, url, presigned }: Exchange): [string, string][] {
  const given = presigned ? [...url.query, ...Object.entries(request.headers)] : Object.entries(request.headers);
  const metadata = given
    .map(([name, value]): [string, string] => [name.toLowerCase(), sendable(String(value))])
    .filter(([name]) => name.startsWith(META));
  const bytes = metadata.reduce((sum, [name, value]) => sum + name.length - META.length + value.length, 0);
  if (bytes <= LONGEST_METADATA_BYTES) return metadata;
  throw new AwsError("MetadataTooLarge", 400, "Your metadata headers exceed the maximum allowed metadata size");
}

/** The headers that describe an object, with the `response-*` parameters of the request in place of its own. */
export function describeObject(exchange: Exchange, object: StoredObject): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": DEFAULT_TYPE,
    ...object.headers,
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.modifiedAt).toUTCString(),
    "accept-ranges": "bytes",
  };
  for (const name of OVERRIDABLE) {
    const override = exchange.url.query.get(`response-${name}`);
    if (override !== undefined) headers[name] = sendable(override);
  }
  return headers;
}

/** Parameters can hold what a header cannot. */
function sendable(value: string): string {
  if (/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) return value;
  throw invalidArgument("Header value cannot be represented using ISO-8859-1.");
}

/** What clients compare a download of the whole object with. */
export function checksumHeaders(object: Pick<StoredObject, "crc32"> & { compositeCrc32?: string | undefined }) {
  return {
    "x-amz-checksum-crc32": object.compositeCrc32 ?? crc32Base64(object.crc32),
    "x-amz-checksum-type": object.compositeCrc32 === undefined ? "FULL_OBJECT" : "COMPOSITE",
  };
}

/** Says when the bucket's lifecycle will remove the object, if it will. */
export function expirationHeader(
  { buckets }: S3Context,
  { bucket, key }: S3Call,
  modifiedAt: number,
): Record<string, string> {
  const expiry = objectExpiry(buckets.byName.get(bucket)?.lifecycle ?? [], key, modifiedAt);
  if (!expiry) return {};
  const date = new Date(expiry.at).toUTCString();
  return { "x-amz-expiration": `expiry-date="${date}", rule-id="${encodeURIComponent(expiry.ruleId)}"` };
}

/** As in `x-amz-checksum-crc32`: the big-endian bytes in base64. */
export function crc32Base64(crc32: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32);
  return bytes.toString("base64");
}
