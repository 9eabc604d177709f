import type { PayloadLocation } from "../store/data-file.ts";
import type { Captured } from "../store/snapshot.ts";
import type { LifecycleRule } from "./lifecycle-rule.ts";
import { keyBytes, keyText } from "./object-key.ts";
import type { KeyBytes } from "./object-key.ts";
import { OrderedMap } from "./ordered-map.ts";
import type { ChecksumType, CompletedUpload, PartFacts, S3Record } from "./records.ts";

/** An object in memory; its content is in a blob file, in the journal, or empty. */
export type StoredObject = {
  size: number;
  etag: string;
  crc32: number;
  compositeCrc32: string | undefined;
  modifiedAt: number;
  headers: Record<string, string> | undefined;
  blob: string | undefined;
  payload: PayloadLocation | undefined;
};

/** A multipart upload that is neither completed nor aborted. */
export type Upload = {
  id: string;
  key: KeyBytes;
  startedAt: number;
  headers: Record<string, string> | undefined;
  checksumType: ChecksumType | undefined;
  /** By number. */
  parts: Map<number, PartFacts>;
};

export type Bucket = {
  name: string;
  createdAt: number;
  /** By `KeyBytes`. */
  objects: OrderedMap<StoredObject>;
  bytes: number;
  /** By id. */
  uploads: Map<string, Upload>;
  /** By id, the oldest first: the last ones, for a time. */
  completed: Map<string, CompletedUpload>;
  lifecycle: readonly LifecycleRule[];
};

/**
 * For how long, and for how many uploads of a bucket, completing again gets the first answer. For how long AWS does so is
 * not documented; an SDK stops repeating a request after less than a minute.
 */
const REMEMBER_COMPLETED_MS = 10 * 60_000;
const MOST_COMPLETED = 1_000;

/** All buckets: what the journal's records of S3 add up to. */
export class Buckets {
  readonly byName = new Map<string, Bucket>();
  readonly #now: () => number;
  readonly #onBlobUnused: (blob: string) => void;

  /** `onBlobUnused` hears of each blob whose object or part was replaced or removed, after that is durable. */
  constructor(now: () => number, onBlobUnused: (blob: string) => void) {
    this.#now = now;
    this.#onBlobUnused = onBlobUnused;
  }

  apply(record: S3Record, payload: PayloadLocation | undefined): void {
    if (record.type === "s3.bucket") return this.#create(record.name, record.createdAt);
    const bucket = this.byName.get(record.type === "s3.bucketDeleted" ? record.name : record.bucket);
    // A bucket may be deleted between the decision and its commit.
    if (bucket) this.#applyTo(bucket, record, payload);
  }

  /** The answer to a completion that was done a short time ago. */
  completedUpload(bucket: Bucket, upload: string): CompletedUpload | undefined {
    const completed = bucket.completed.get(upload);
    return completed && this.#isRemembered(completed) ? completed : undefined;
  }

  /** The blobs that objects and parts refer to. */
  usedBlobs(): Set<string> {
    const used = new Set<string>();
    for (const { objects, uploads } of this.byName.values()) {
      for (const [, { blob }] of objects.entriesFrom("")) if (blob !== undefined) used.add(blob);
      for (const { parts } of uploads.values()) for (const { blob } of parts.values()) used.add(blob);
    }
    return used;
  }

  /** Objects and parts do not change, they are replaced: it is enough to remember them. */
  capture(): Iterable<Captured<S3Record>> {
    const buckets = [...this.byName.values()].map((bucket): CapturedBucket => {
      const uploads = [...bucket.uploads.values()].map((upload) => ({ ...upload, parts: new Map(upload.parts) }));
      const completed = [...bucket.completed].filter(([, each]) => this.#isRemembered(each));
      return { ...bucket, entries: [...bucket.objects.entriesFrom("")], uploads, completed };
    });
    return capturedRecords(buckets);
  }

  #create(name: string, createdAt: number): void {
    if (this.byName.has(name)) return;
    this.byName.set(name, {
      name,
      createdAt,
      objects: new OrderedMap(),
      bytes: 0,
      uploads: new Map(),
      completed: new Map(),
      lifecycle: [],
    });
  }

  #applyTo(
    bucket: Bucket,
    record: Exclude<S3Record, { type: "s3.bucket" }>,
    payload: PayloadLocation | undefined,
  ): void {
    switch (record.type) {
      case "s3.bucketDeleted":
        // An object may have been put while the deletion was on its way to the disk: then the bucket stays.
        if (bucket.objects.size > 0) return;
        for (const id of bucket.uploads.keys()) this.#endUpload(bucket, id);
        this.byName.delete(bucket.name);
        return;
      case "s3.lifecycle":
        bucket.lifecycle = record.rules;
        return;
      case "s3.object":
        return this.#replace(bucket, record.key, toStored(record, payload));
      case "s3.objectDeleted":
        return this.#replace(bucket, record.key, undefined);
      case "s3.upload": {
        const { upload: id, key, startedAt, headers, checksumType } = record;
        bucket.uploads.set(id, { id, key: keyBytes(key), startedAt, headers, checksumType, parts: new Map() });
        return;
      }
      case "s3.part": {
        const { upload, number, size, etag, crc32, blob, modifiedAt } = record;
        const parts = bucket.uploads.get(upload)?.parts;
        const previous = parts?.get(number);
        parts?.set(number, { size, etag, crc32, blob, modifiedAt });
        if (previous) this.#onBlobUnused(previous.blob);
        return;
      }
      case "s3.uploadEnded":
        this.#endUpload(bucket, record.upload);
        if (record.completed) this.#remember(bucket, record.upload, record.completed);
        return;
    }
  }

  #remember({ completed }: Bucket, upload: string, facts: CompletedUpload): void {
    if (this.#isRemembered(facts)) completed.set(upload, facts);
    for (const [old, each] of completed) {
      if (this.#isRemembered(each) && completed.size <= MOST_COMPLETED) break;
      completed.delete(old);
    }
  }

  #isRemembered({ modifiedAt }: CompletedUpload): boolean {
    return modifiedAt + REMEMBER_COMPLETED_MS > this.#now();
  }

  #endUpload(bucket: Bucket, id: string): void {
    const upload = bucket.uploads.get(id);
    bucket.uploads.delete(id);
    for (const { blob } of upload?.parts.values() ?? []) this.#onBlobUnused(blob);
  }

  #replace(bucket: Bucket, key: string, next: StoredObject | undefined): void {
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
  const { size, etag, crc32, compositeCrc32, modifiedAt, headers, blob } = record;
  return { size, etag, crc32, compositeCrc32, modifiedAt, headers, blob, payload };
}

type CapturedBucket = Pick<Bucket, "name" | "createdAt" | "lifecycle"> & {
  entries: [string, StoredObject][];
  uploads: Upload[];
  completed: [string, CompletedUpload][];
};

function* capturedRecords(buckets: readonly CapturedBucket[]): Generator<Captured<S3Record>> {
  for (const { name, createdAt, lifecycle, entries, uploads, completed: done } of buckets) {
    yield { record: { type: "s3.bucket", name, createdAt } };
    if (lifecycle.length > 0) yield { record: { type: "s3.lifecycle", bucket: name, rules: [...lifecycle] } };
    for (const [key, object] of entries) {
      const { size, etag, crc32, compositeCrc32, modifiedAt, headers, blob, payload } = object;
      const facts = { size, etag, crc32, compositeCrc32, modifiedAt, headers, blob };
      const record: S3Record = { type: "s3.object", bucket: name, key: keyText(key), ...facts };
      yield payload ? { record, payload } : { record };
    }
    for (const [upload, completed] of done) {
      yield { record: { type: "s3.uploadEnded", bucket: name, upload, completed } };
    }
    for (const { id, key, startedAt, headers, checksumType, parts } of uploads) {
      const facts = { startedAt, headers, checksumType };
      yield { record: { type: "s3.upload", bucket: name, upload: id, key: keyText(key), ...facts } };
      for (const [number, part] of parts) {
        yield { record: { type: "s3.part", bucket: name, upload: id, number, ...part } };
      }
    }
  }
}
