import { pipeline } from "node:stream/promises";
import type { StoredObject } from "./buckets.ts";
import { bucketOf } from "./call.ts";
import type { S3Action, S3Call, S3Context } from "./call.ts";
import { checkReadConditions } from "./conditions.ts";
import { closeContent, openContent, readContent } from "./content.ts";
import type { OpenContent } from "./content.ts";
import { noSuchKey } from "./errors.ts";
import { checksumHeaders, describeObject, expirationHeader } from "./object-headers.ts";
import { keyText } from "./object-key.ts";
import { parseRange } from "./range.ts";
import type { ByteRange } from "./range.ts";

export const headObject: S3Action = async (context, call) => {
  const { status, headers } = describe(context, call, currentObject(context, call));
  call.exchange.response.writeHead(status, headers);
  call.exchange.response.end();
};

export const getObject: S3Action = async (context, call) => {
  const { response } = call.exchange;
  const { object, content } = await openObject(context, call);
  try {
    const { status, headers, range } = describe(context, call, object);
    response.writeHead(status, headers);
    if (status === 304) response.end();
    else if ("inline" in content) response.end(content.inline.subarray(range.first, range.last + 1));
    else await pipeline(readContent(content, range), response);
  } finally {
    await closeContent(content);
  }
};

/** Throws `NoSuchBucket` or `NoSuchKey`. */
export function currentObject(context: S3Context, call: Pick<S3Call, "bucket" | "key">): StoredObject {
  const object = bucketOf(context, call).objects.get(call.key);
  if (!object) throw noSuchKey(keyText(call.key));
  return object;
}

/** An object with its content opened: from then on a replacement cannot take it away. Throws as `currentObject`. */
export async function openObject(
  context: S3Context,
  call: Pick<S3Call, "bucket" | "key">,
): Promise<{ object: StoredObject; content: OpenContent }> {
  for (;;) {
    const object = currentObject(context, call);
    try {
      return { object, content: await openContent(context.blobs, object) };
    } catch (error) {
      // Replaced between the look-up and the opening: look again. If it still is the current one, its file is missing.
      if (currentObject(context, call) === object) throw error;
    }
  }
}

function describe(context: S3Context, call: S3Call, object: StoredObject) {
  const { exchange } = call;
  const headers: Record<string, string> = {
    ...describeObject(exchange, object),
    ...expirationHeader(context, call, object.modifiedAt),
  };
  const all: ByteRange = { first: 0, last: object.size - 1 };
  if (checkReadConditions(exchange, object) === "not-modified") return { status: 304, headers, range: all };
  const range = parseRange(exchange.request.headers.range, object.size);
  if (range) {
    headers["content-range"] = `bytes ${range.first}-${range.last}/${object.size}`;
    headers["content-length"] = String(range.last - range.first + 1);
    return { status: 206, headers, range };
  }
  headers["content-length"] = String(object.size);
  if (exchange.request.headers["x-amz-checksum-mode"] === "ENABLED") Object.assign(headers, checksumHeaders(object));
  return { status: 200, headers, range: all };
}
