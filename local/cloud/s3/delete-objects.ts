import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { Exchange } from "../exchange.ts";
import { bucketOf, headerOf } from "./call.ts";
import type { S3Action, S3Context } from "./call.ts";
import { checkWriteConditions } from "./conditions.ts";
import { badDigest, invalidRequest, malformedXml } from "./errors.ts";
import { crc32Base64 } from "./object-headers.ts";
import { checkedKeyBytes, keyText } from "./object-key.ts";
import type { KeyBytes } from "./object-key.ts";
import { readSignedBody } from "./signed-body.ts";
import { childText, parseXml, s3Document, sendXml, textElement } from "./xml.ts";

/** API reference, DeleteObjects. */
const MOST_KEYS = 1000;
/** 1,000 keys of 1,024 bytes, every byte of them escaped. */
const LONGEST_BODY_BYTES = 8 * 1024 * 1024;

/** Deleting what is not there is a success. */
export const deleteObject: S3Action = async (context, call) => {
  const { exchange, key } = call;
  const { name } = bucketOf(context, call);
  await deleteKey(context, name, key, exchange);
  exchange.response.writeHead(204);
  exchange.response.end();
};

export const deleteObjects: S3Action = async (context, call) => {
  const { name } = bucketOf(context, call);
  const body = await readSignedBody(call.exchange, LONGEST_BODY_BYTES);
  checkDigests(call.exchange, body);
  const { keys, quiet } = parseDelete(body.toString("utf8"));
  await Promise.all(keys.map((key) => deleteKey(context, name, checkedKeyBytes(key), undefined)));
  const deleted = quiet ? [] : keys.map((key) => `<Deleted>${textElement("Key", key)}</Deleted>`);
  sendXml(call.exchange.response, 200, s3Document("DeleteResult", deleted));
};

async function deleteKey(
  { buckets, locks, commit }: S3Context,
  bucket: string,
  key: KeyBytes,
  conditions: Exchange | undefined,
): Promise<void> {
  await locks.run(`${bucket}/${key}`, async () => {
    const current = buckets.byName.get(bucket)?.objects.get(key);
    if (conditions) checkWriteConditions(conditions, keyText(key), current);
    if (current) await commit({ records: [{ type: "s3.objectDeleted", bucket, key: keyText(key) }] });
  });
}

function parseDelete(document: string): { keys: string[]; quiet: boolean } {
  const root = parseXml(document);
  const objects = root.children.filter(({ name }) => name === "Object");
  if (root.name !== "Delete" || objects.length === 0 || objects.length > MOST_KEYS) throw malformedXml();
  const keys = objects.map((object) => {
    const key = childText(object, "Key");
    if (key === undefined || key === "") throw malformedXml();
    return key;
  });
  return { keys, quiet: childText(root, "Quiet") === "true" };
}

/** S3 wants one of the two for this operation: a key that was garbled on the way would delete something else. */
function checkDigests(exchange: Exchange, body: Buffer): void {
  const md5 = headerOf(exchange, "content-md5");
  const checksum = headerOf(exchange, "x-amz-checksum-crc32");
  if (md5 === undefined && checksum === undefined)
    throw invalidRequest("Missing required header: Content-MD5 or CRC32.");
  if (md5 !== undefined && md5 !== createHash("md5").update(body).digest("base64")) throw badDigest("Content-MD5");
  if (checksum !== undefined && checksum !== crc32Base64(crc32(body))) throw badDigest("CRC32");
}
