import type { StoredObject } from "./buckets.ts";
import { bucketOf } from "./call.ts";
import type { S3Action } from "./call.ts";
import { invalidArgument } from "./errors.ts";
import { keyEncoder } from "./key-encoding.ts";
import { keyBytes } from "./object-key.ts";
import type { OrderedMap } from "./ordered-map.ts";
import { ACCOUNT } from "../sqs/queue-names.ts";
import { s3Document, sendXml, textElement } from "./xml.ts";

const MOST_KEYS = 1000;
/** Greater than any byte of UTF-8: `prefix + AFTER_ALL` comes after every key with that prefix. */
const AFTER_ALL = "\u00ff";

/** ListObjectsV2. Keys come in the order of their bytes. */
export const listObjects: S3Action = async (context, call) => {
  const { name, objects } = bucketOf(context, call);
  const { query } = call.exchange.url;
  const { encode, element } = keyEncoder(query);
  const prefix = keyBytes(query.get("prefix") ?? "");
  const delimiter = keyBytes(query.get("delimiter") ?? "");
  const startAfter = query.get("start-after");
  const token = query.get("continuation-token");
  const withOwner = query.get("fetch-owner") === "true";
  const maxKeys = parseMaxKeys(query.get("max-keys"));
  const after = token === undefined ? keyBytes(startAfter ?? "") : parseToken(token);

  const page = listPage(objects, { prefix, delimiter, after, maxKeys });
  const keyCount = page.contents.length + page.commonPrefixes.length;
  const parts = [
    textElement("Name", name),
    textElement("Prefix", encode(prefix)),
    ...(delimiter === "" ? [] : [textElement("Delimiter", encode(delimiter))]),
    ...(startAfter === undefined ? [] : [textElement("StartAfter", encode(keyBytes(startAfter)))]),
    ...(token === undefined ? [] : [textElement("ContinuationToken", token)]),
    ...element,
    textElement("KeyCount", keyCount),
    textElement("MaxKeys", maxKeys),
    textElement("IsTruncated", page.continueAfter !== undefined),
    ...(page.continueAfter === undefined ? [] : [textElement("NextContinuationToken", makeToken(page.continueAfter))]),
    ...page.contents.map(([key, object]) => contentsElement(encode(key), object, withOwner)),
    ...page.commonPrefixes.map((common) => `<CommonPrefixes>${textElement("Prefix", encode(common))}</CommonPrefixes>`),
  ];
  sendXml(call.exchange.response, 200, s3Document("ListBucketResult", parts));
};

type PageRequest = { prefix: string; delimiter: string; after: string; maxKeys: number };
type Page = { contents: [string, StoredObject][]; commonPrefixes: string[]; continueAfter: string | undefined };

/** Jumps over what a common prefix stands for, so the time depends on the page and not on the bucket. */
function listPage(objects: OrderedMap<StoredObject>, { prefix, delimiter, after, maxKeys }: PageRequest): Page {
  const contents: [string, StoredObject][] = [];
  const commonPrefixes: string[] = [];
  let last: string | undefined;
  // The smallest string after `after`, unless the prefix begins later anyway.
  let next = after < prefix ? prefix : `${after}\u0000`;
  if (after === "" && prefix === "") next = "";
  for (;;) {
    let jump: string | undefined;
    for (const [key, object] of objects.entriesFrom(next)) {
      if (!key.startsWith(prefix)) return { contents, commonPrefixes, continueAfter: undefined };
      if (contents.length + commonPrefixes.length === maxKeys) {
        return { contents, commonPrefixes, continueAfter: maxKeys === 0 ? undefined : last };
      }
      const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
      if (end !== -1) {
        const common = key.slice(0, end + delimiter.length);
        commonPrefixes.push(common);
        jump = common + AFTER_ALL;
        last = jump;
        break;
      }
      contents.push([key, object]);
      last = key;
    }
    if (jump === undefined) return { contents, commonPrefixes, continueAfter: undefined };
    next = jump;
  }
}

function contentsElement(key: string, { modifiedAt, etag, size }: StoredObject, withOwner: boolean): string {
  const parts = [
    textElement("Key", key),
    textElement("LastModified", new Date(modifiedAt).toISOString()),
    textElement("ETag", `"${etag}"`),
    textElement("Size", size),
    ...(withOwner ? [`<Owner>${textElement("ID", ACCOUNT)}</Owner>`] : []),
    textElement("StorageClass", "STANDARD"),
  ];
  return `<Contents>${parts.join("")}</Contents>`;
}

function parseMaxKeys(text: string | undefined): number {
  if (text === undefined || text === "") return MOST_KEYS;
  if (!/^\d{1,10}$/.test(text)) throw invalidArgument("Provided max-keys not an integer or within integer range");
  return Math.min(Number(text), MOST_KEYS);
}

function makeToken(continueAfter: string): string {
  return Buffer.from(continueAfter, "latin1").toString("base64url");
}

function parseToken(token: string): string {
  const after = Buffer.from(token, "base64url").toString("latin1");
  if (token === "" || makeToken(after) !== token) throw invalidArgument("The continuation token provided is incorrect");
  return after;
}
