import type { PayloadLocation } from "../store/data-file.ts";
import type { Captured } from "../store/snapshot.ts";
import { keyBytes, keyText } from "./object-key.ts";
import { OrderedMap } from "./ordered-map.ts";
import type { S3Record } from "./records.ts";

/** An object in memory; its content is in a blob file, in the journal, or empty. */
export type StoredObject = {
  size: number;
  etag: string;
  crc32: number;
  modifiedAt: number;
  headers: Record<string, string> | undefined;
  blob: string | undefined;
  payload: PayloadLocation | undefined;
};

export type Bucket = {
  name: string;
  createdAt: number;
  /** By `KeyBytes`. */
  objects: OrderedMap<StoredObject>;
  bytes: number;
};

/** All buckets: what the journal's records of S3 add up to. */
export class Buckets {
  readonly byName = new Map<string, Bucket>();
  readonly #onBlobUnused: (blob: string) => void;

  /** `onBlobUnused` hears of each blob whose object was replaced or deleted, after that is durable. */
  constructor(onBlobUnused: (blob: string) => void) {
    this.#onBlobUnused = onBlobUnused;
  }

  apply(record: S3Record, payload: PayloadLocation | undefined): void {
    switch (record.type) {
      case "s3.bucket": {
        const { name, createdAt } = record;
        if (!this.byName.has(name)) this.byName.set(name, { name, createdAt, objects: new OrderedMap(), bytes: 0 });
        return;
      }
      case "s3.bucketDeleted":
        // An object may have been put while the deletion was on its way to the disk: then the bucket stays.
        if (this.byName.get(record.name)?.objects.size === 0) this.byName.delete(record.name);
        return;
      case "s3.object": {
        return this.#replace(record.bucket, record.key, toStored(record, payload));
      }
      case "s3.objectDeleted":
        return this.#replace(record.bucket, record.key, undefined);
    }
  }

  /** The blobs that objects refer to. */
  usedBlobs(): Set<string> {
    const used = new Set<string>();
    for (const { objects } of this.byName.values()) {
      for (const [, { blob }] of objects.entriesFrom("")) if (blob !== undefined) used.add(blob);
    }
    return used;
  }

  /** Objects do not change, they are replaced: it is enough to remember them. */
  capture(): Iterable<Captured<S3Record>> {
    const buckets = [...this.byName.values()].map(({ name, createdAt, objects }) => {
      return { name, createdAt, entries: [...objects.entriesFrom("")] };
    });
    return capturedRecords(buckets);
  }

  #replace(bucketName: string, key: string, next: StoredObject | undefined): void {
    const bucket = this.byName.get(bucketName);
    if (!bucket) return;
    const bytes = keyBytes(key);
    const previous = bucket.objects.get(bytes);
    if (next) bucket.objects.set(bytes, next);
    else bucket.objects.delete(bytes);
    bucket.bytes += (next?.size ?? 0) - (previous?.size ?? 0);
    if (previous?.blob !== undefined) this.#onBlobUnused(previous.blob);
  }
}

/** Written out, because there may be a million of them: objects made by spreading take twice the memory. */
function toStored(
  record: Extract<S3Record, { type: "s3.object" }>,
  payload: PayloadLocation | undefined,
): StoredObject {
  const { size, etag, crc32, modifiedAt, headers, blob } = record;
  return { size, etag, crc32, modifiedAt, headers, blob, payload };
}

type CapturedBucket = { name: string; createdAt: number; entries: [string, StoredObject][] };

function* capturedRecords(buckets: readonly CapturedBucket[]): Generator<Captured<S3Record>> {
  for (const { name, createdAt, entries } of buckets) {
    yield { record: { type: "s3.bucket", name, createdAt } };
    for (const [key, object] of entries) {
      const { size, etag, crc32, modifiedAt, headers, blob, payload } = object;
      const facts = { size, etag, crc32, modifiedAt, ...(headers && { headers }), ...(blob !== undefined && { blob }) };
      const record: S3Record = { type: "s3.object", bucket: name, key: keyText(key), ...facts };
      yield payload ? { record, payload } : { record };
    }
  }
}
