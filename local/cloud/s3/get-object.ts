import { pipeline } from "node:stream/promises";
import type { FileHandle } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { readPayload } from "../store/data-file.ts";
import type { StoredObject } from "./buckets.ts";
import { bucketOf } from "./call.ts";
import type { S3Action, S3Call, S3Context } from "./call.ts";
import { checkReadConditions } from "./conditions.ts";
import { noSuchKey } from "./errors.ts";
import { crc32Base64, describeObject } from "./object-headers.ts";
import { keyText } from "./object-key.ts";
import { parseRange } from "./range.ts";
import type { ByteRange } from "./range.ts";

export const headObject: S3Action = async (context, call) => {
  const { status, headers } = describe(call, currentObject(context, call));
  call.exchange.response.writeHead(status, headers);
  call.exchange.response.end();
};

export const getObject: S3Action = async (context, call) => {
  const { response } = call.exchange;
  const { object, blob } = await openObject(context, call);
  try {
    const { status, headers, range } = describe(call, object);
    const { first, last } = range ?? { first: 0, last: object.size - 1 };
    if (status === 304 || object.size === 0) {
      response.writeHead(status, headers);
      response.end();
    } else if (blob) {
      response.writeHead(status, headers);
      await sendFile(blob, { first, last }, response);
    } else if (object.payload) {
      const content = await readPayload(object.payload);
      response.writeHead(status, headers);
      response.end(content.subarray(first, last + 1));
    }
  } finally {
    await blob?.close();
  }
};

function currentObject(context: S3Context, call: S3Call): StoredObject {
  const object = bucketOf(context, call).objects.get(call.key);
  if (!object) throw noSuchKey(keyText(call.key));
  return object;
}

/** The object with its blob opened: from then on a replacement cannot take it away. */
async function openObject(context: S3Context, call: S3Call): Promise<{ object: StoredObject; blob?: FileHandle }> {
  for (;;) {
    const object = currentObject(context, call);
    if (object.blob === undefined) return { object };
    try {
      return { object, blob: await context.blobs.open(object.blob) };
    } catch (error) {
      // Replaced between the look-up and the opening: look again. If it still is the current one, its file is missing.
      if (bucketOf(context, call).objects.get(call.key) === object) throw error;
    }
  }
}

function describe({ exchange }: S3Call, object: StoredObject) {
  const headers: Record<string, string> = describeObject(exchange, object);
  if (checkReadConditions(exchange, object) === "not-modified") return { status: 304, headers };
  const range = parseRange(exchange.request.headers.range, object.size);
  if (range) {
    headers["content-range"] = `bytes ${range.first}-${range.last}/${object.size}`;
    headers["content-length"] = String(range.last - range.first + 1);
    return { status: 206, headers, range };
  }
  headers["content-length"] = String(object.size);
  if (exchange.request.headers["x-amz-checksum-mode"] === "ENABLED") {
    headers["x-amz-checksum-crc32"] = crc32Base64(object.crc32);
    headers["x-amz-checksum-type"] = "FULL_OBJECT";
  }
  return { status: 200, headers };
}

async function sendFile(file: FileHandle, { first, last }: ByteRange, response: ServerResponse): Promise<void> {
  const content = file.createReadStream({ start: first, end: last, autoClose: false });
  await pipeline(content, response);
}
