import { bucketOf } from "./call.ts";
import type { S3Action } from "./call.ts";
import { invalidArgument } from "./errors.ts";
import { keyEncoder } from "./key-encoding.ts";
import { crc32Base64 } from "./object-headers.ts";
import { keyBytes } from "./object-key.ts";
import { uploadOf } from "./uploads.ts";
import { s3Document, sendXml, textElement } from "./xml.ts";

const MOST = 1000;

/** Uploads of one key come in the order in which they began. Delimiters are not supported. */
export const listMultipartUploads: S3Action = async (context, call) => {
  const { name, uploads } = bucketOf(context, call);
  const { query } = call.exchange.url;
  const { encode, element } = keyEncoder(query);
  const prefix = keyBytes(query.get("prefix") ?? "");
  const keyMarker = keyBytes(query.get("key-marker") ?? "");
  const idMarker = query.get("upload-id-marker") ?? "";
  const max = parseMax(query.get("max-uploads"), "max-uploads");

  const all = [...uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => (a.key === b.key ? a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1) : a.key < b.key ? -1 : 1));
  const markerAt = all.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  const rest = markerAt === -1 ? all.filter(({ key }) => key > keyMarker) : all.slice(markerAt + 1);
  const page = rest.slice(0, max);
  const last = page.at(-1);
  const truncated = rest.length > page.length;
  const elements = [
    textElement("Bucket", name),
    textElement("KeyMarker", encode(keyMarker)),
    textElement("UploadIdMarker", idMarker),
    ...(truncated && last
      ? [textElement("NextKeyMarker", encode(last.key)), textElement("NextUploadIdMarker", last.id)]
      : []),
    textElement("Prefix", encode(prefix)),
    ...element,
    textElement("MaxUploads", max),
    textElement("IsTruncated", truncated),
    ...page.map(({ id, key, startedAt }) => {
      const initiated = textElement("Initiated", new Date(startedAt).toISOString());
      const parts = [textElement("Key", encode(key)), textElement("UploadId", id), initiated];
      return `<Upload>${parts.join("")}${textElement("StorageClass", "STANDARD")}</Upload>`;
    }),
  ];
  sendXml(call.exchange.response, 200, s3Document("ListMultipartUploadsResult", elements));
};

export const listParts: S3Action = async (context, call) => {
  const { id, parts, checksumType } = uploadOf(context, call);
  const { query } = call.exchange.url;
  const { encode, element } = keyEncoder(query);
  const marker = Number(/^\d{1,5}$/.exec(query.get("part-number-marker") ?? "0")?.[0]);
  if (Number.isNaN(marker)) throw invalidArgument("Provided part-number-marker not an integer or within integer range");
  const max = parseMax(query.get("max-parts"), "max-parts");
  const rest = [...parts].filter(([number]) => number > marker).sort(([a], [b]) => a - b);
  const page = rest.slice(0, max);
  const elements = [
    textElement("Bucket", call.bucket),
    textElement("Key", encode(call.key)),
    ...element,
    textElement("UploadId", id),
    textElement("PartNumberMarker", marker),
    textElement("NextPartNumberMarker", page.at(-1)?.[0] ?? 0),
    textElement("MaxParts", max),
    textElement("IsTruncated", rest.length > page.length),
    textElement("StorageClass", "STANDARD"),
    ...(checksumType ? [textElement("ChecksumAlgorithm", "CRC32"), textElement("ChecksumType", checksumType)] : []),
    ...page.map(([number, { size, etag, crc32, modifiedAt }]) => {
      const facts = [
        textElement("PartNumber", number),
        textElement("LastModified", new Date(modifiedAt).toISOString()),
        textElement("ETag", `"${etag}"`),
        textElement("Size", size),
        textElement("ChecksumCRC32", crc32Base64(crc32)),
      ];
      return `<Part>${facts.join("")}</Part>`;
    }),
  ];
  sendXml(call.exchange.response, 200, s3Document("ListPartsResult", elements));
};

function parseMax(text: string | undefined, name: string): number {
  if (text === undefined || text === "") return MOST;
  if (!/^\d{1,10}$/.test(text)) throw invalidArgument(`Provided ${name} not an integer or within integer range`);
  return Math.min(Number(text), MOST);
}
