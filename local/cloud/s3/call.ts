import type { Exchange } from "../exchange.ts";
import type { Transaction } from "../store/journal.ts";
import type { Blobs } from "./blobs.ts";
import type { Bucket, Buckets } from "./buckets.ts";
import { noSuchBucket } from "./errors.ts";
import type { KeyLocks } from "../key-locks.ts";
import type { KeyBytes } from "./object-key.ts";
import type { S3Record } from "./records.ts";

/** What the actions work on. */
export type S3Context = {
  buckets: Buckets;
  blobs: Blobs;
  locks: KeyLocks;
  commit: (transaction: Transaction<S3Record>) => Promise<void>;
  now: () => number;
  region: string;
};

/** A request for a bucket. `key` is empty for the bucket itself. */
export type S3Call = { exchange: Exchange; bucket: string; key: KeyBytes };

export type S3Action = (context: S3Context, call: S3Call) => Promise<void>;

/** Throws `NoSuchBucket`. */
export function bucketOf({ buckets }: S3Context, { bucket }: Pick<S3Call, "bucket">): Bucket {
  const found = buckets.byName.get(bucket);
  if (!found) throw noSuchBucket(bucket);
  return found;
}

/** A header of the request. In a presigned URL the parameters named `x-amz-…` count as headers. */
export function headerOf({ request, url, presigned }: Exchange, name: string): string | undefined {
  const value = request.headers[name];
  if (value !== undefined) return Array.isArray(value) ? value.join(", ") : value;
  if (!presigned || !name.startsWith("x-amz-")) return undefined;
  for (const [parameter, given] of url.query) if (parameter.toLowerCase() === name) return given;
  return undefined;
}
