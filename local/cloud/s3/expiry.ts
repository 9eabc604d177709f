import type { Bucket } from "./buckets.ts";
import type { S3Context } from "./call.ts";
import { DAY_MS, endOfDays, objectExpiry } from "./lifecycle-rule.ts";
import type { LifecycleRule } from "./lifecycle-rule.ts";
import { keyText } from "./object-key.ts";

/** Deletions that are under way at the same time. */
const AT_ONCE = 100;

/**
 * Removes what the lifecycle rules of the buckets have ended; to be called from time to time. Everything ends at a
 * midnight, so all objects are looked at only once a day, or when the rules have changed. Throws `StorageError`.
 */
export class Expiry {
  readonly #context: S3Context;
  readonly #swept = new WeakMap<Bucket, { rules: readonly LifecycleRule[]; day: number }>();

  constructor(context: S3Context) {
    this.#context = context;
  }

  async sweep(): Promise<void> {
    const day = Math.floor(this.#context.now() / DAY_MS);
    for (const bucket of this.#context.buckets.byName.values()) {
      const { lifecycle: rules } = bucket;
      const last = this.#swept.get(bucket);
      if (rules.length === 0 || (last?.rules === rules && last.day === day)) continue;
      await this.#endUploads(bucket);
      await this.#removeObjects(bucket);
      this.#swept.set(bucket, { rules, day });
    }
  }

  async #removeObjects(bucket: Bucket): Promise<void> {
    const expired = new Set<string>();
    for (const { enabled, prefix, expiration } of bucket.lifecycle) {
      if (!enabled || !expiration) continue;
      for (const [key] of bucket.objects.entriesFrom(prefix)) {
        if (!key.startsWith(prefix)) break;
        if (this.#isExpired(bucket, key)) expired.add(key);
      }
    }
    const keys = [...expired];
    for (let start = 0; start < keys.length; start += AT_ONCE) {
      await Promise.all(keys.slice(start, start + AT_ONCE).map((key) => this.#remove(bucket, key)));
    }
  }

  /** It may have been written again since it was looked at. */
  async #remove(bucket: Bucket, key: string): Promise<void> {
    const { locks, commit } = this.#context;
    await locks.run(`${bucket.name}/${key}`, async () => {
      if (!this.#isExpired(bucket, key)) return;
      await commit({ records: [{ type: "s3.objectDeleted", bucket: bucket.name, key: keyText(key) }] });
    });
  }

  #isExpired({ lifecycle, objects }: Bucket, key: string): boolean {
    const object = objects.get(key);
    const expiry = object && objectExpiry(lifecycle, key, object.modifiedAt);
    return expiry !== undefined && expiry.at <= this.#context.now();
  }

  async #endUploads({ name: bucket, uploads, lifecycle }: Bucket): Promise<void> {
    const { locks, commit, now } = this.#context;
    const ended = [...uploads.values()].filter(({ key, startedAt }) =>
      lifecycle.some(({ enabled, prefix, abortUploadsAfterDays: days }) => {
        return enabled && days !== undefined && key.startsWith(prefix) && endOfDays(startedAt, days) <= now();
      }),
    );
    for (const { id: upload } of ended) {
      await locks.run(`?${upload}`, () => commit({ records: [{ type: "s3.uploadEnded", bucket, upload }] }));
    }
  }
}
