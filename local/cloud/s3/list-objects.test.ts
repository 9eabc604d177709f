import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { createTestBucket } from "./test-bucket.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

async function bucketWith(keys: string[]) {
  const bucket = await createTestBucket(cloud);
  await Promise.all(keys.map((key) => bucket.put(key, key)));
  return bucket;
}

describe("ListObjectsV2", () => {
  it("gives keys in the order of their UTF-8 bytes", async () => {
    // U+FF5E comes before U+1F600 in UTF-8, but after its surrogates in UTF-16.
    const bucket = await bucketWith(["b", "😀", "～", "a/b", "a", "é", "a!"]);
    expect(await bucket.keys()).toEqual(["a", "a!", "a/b", "b", "é", "～", "😀"]);
  });

  it("gives what there is to know of each object", async () => {
    const bucket = await bucketWith(["key"]);
    const { Contents, KeyCount, IsTruncated, Name } = await bucket.list();
    const ETag = '"3c6e0b8a9c15224a8228b9a98ca1531d"';
    expect(Contents).toEqual([{ Key: "key", Size: 3, ETag, LastModified: expect.any(Date), StorageClass: "STANDARD" }]);
    expect([KeyCount, IsTruncated, Name]).toEqual([1, false, bucket.name]);
  });

  it("names the owner when it is asked to", async () => {
    const bucket = await bucketWith(["key"]);
    expect((await bucket.list({ FetchOwner: true })).Contents?.[0]?.Owner).toEqual({ ID: "000000000000" });
    expect((await bucket.list({ FetchOwner: false })).Contents?.[0]?.Owner).toBeUndefined();
  });

  it("rolls up what lies behind the delimiter", async () => {
    const bucket = await bucketWith(["a/1", "a/2", "a/b/3", "b", "c/"]);
    const top = await bucket.list({ Delimiter: "/" });
    expect(top.CommonPrefixes).toEqual([{ Prefix: "a/" }, { Prefix: "c/" }]);
    expect(top.Contents?.map(({ Key }) => Key)).toEqual(["b"]);
    expect(top.KeyCount).toBe(3);
    const below = await bucket.list({ Delimiter: "/", Prefix: "a/" });
    expect(below.CommonPrefixes).toEqual([{ Prefix: "a/b/" }]);
    expect(below.Contents?.map(({ Key }) => Key)).toEqual(["a/1", "a/2"]);
  });

  it("starts after a key, whether it exists or not", async () => {
    const bucket = await bucketWith(["log/1", "log/2", "log/3", "other"]);
    expect(await bucket.keys({ Prefix: "log/", StartAfter: "log/1" })).toEqual(["log/2", "log/3"]);
    expect(await bucket.keys({ Prefix: "log/", StartAfter: "log/11" })).toEqual(["log/2", "log/3"]);
    expect(await bucket.keys({ Prefix: "log/", StartAfter: "a" })).toEqual(["log/1", "log/2", "log/3"]);
    expect(await bucket.keys({ Prefix: "log/", StartAfter: "p" })).toEqual([]);
  });

  it("encodes keys when it is asked to", async () => {
    const bucket = await bucketWith(["a b/ü+&\u0001"]);
    expect(await bucket.keys({ EncodingType: "url" })).toEqual(["a+b/%C3%BC%2B%26%01"]);
    const asked = { Prefix: "a ", Delimiter: "ü", StartAfter: "a +" };
    expect(await bucket.list({ EncodingType: "url", ...asked })).toMatchObject({
      Prefix: "a+",
      Delimiter: "%C3%BC",
      StartAfter: "a+%2B",
      CommonPrefixes: [{ Prefix: "a+b/%C3%BC" }],
    });
  });

  it("gives at most 1,000 keys, none for max-keys 0, and refuses what is no number", async () => {
    const bucket = await bucketWith(["a", "b"]);
    expect((await bucket.list({ MaxKeys: 5_000 })).MaxKeys).toBe(1000);
    const none = await bucket.list({ MaxKeys: 0 });
    expect([none.KeyCount, none.IsTruncated]).toEqual([0, false]);
    await expect(bucket.list({ MaxKeys: -1 })).rejects.toMatchObject({ name: "InvalidArgument" });
    await expect(bucket.list({ ContinuationToken: "?" })).rejects.toMatchObject({ name: "InvalidArgument" });
  });

  it("gives in pages what a listing by hand gives, for any keys, prefix, delimiter and page size", async () => {
    const part = fc.constantFrom("a", "b", "/", "é", "😀", "~", " ");
    const text = (min: number, max: number) =>
      fc.array(part, { minLength: min, maxLength: max }).map((parts) => parts.join(""));
    const anyListing = fc.record({
      keys: fc.uniqueArray(text(1, 5), { maxLength: 15 }),
      prefix: text(0, 2),
      delimiter: fc.constantFrom("", "/", "b", "é"),
      startAfter: text(0, 2),
      maxKeys: fc.integer({ min: 1, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(anyListing, async ({ keys, prefix, delimiter, startAfter, maxKeys }) => {
        const bucket = await bucketWith(keys);
        const found: string[] = [];
        let token: string | undefined;
        do {
          const page = await bucket.list({
            MaxKeys: maxKeys,
            ...(prefix !== "" && { Prefix: prefix }),
            ...(delimiter !== "" && { Delimiter: delimiter }),
            ...(startAfter !== "" && { StartAfter: startAfter }),
            ...(token !== undefined && { ContinuationToken: token }),
          });
          const contents = page.Contents?.map(({ Key }) => `key ${Key}`) ?? [];
          const prefixes = page.CommonPrefixes?.map(({ Prefix }) => `prefix ${Prefix}`) ?? [];
          expect(page.KeyCount).toBeLessThanOrEqual(maxKeys);
          found.push(...contents, ...prefixes);
          token = page.NextContinuationToken;
        } while (token !== undefined);
        const expected = listByHand(keys, prefix, delimiter, startAfter);
        expect(found.sort()).toEqual(expected.sort());
      }),
      { numRuns: 25, seed: 1 },
    );
  });
});

function listByHand(keys: string[], prefix: string, delimiter: string, startAfter: string): string[] {
  const after = (key: string) => Buffer.compare(Buffer.from(key), Buffer.from(startAfter)) > 0;
  const entries = keys
    .filter((key) => key.startsWith(prefix) && after(key))
    .map((key) => {
      const end = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
      return end === -1 ? `key ${key}` : `prefix ${key.slice(0, end + delimiter.length)}`;
    });
  return [...new Set(entries)];
}
