import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import type { GetObjectCommandInput, ListObjectsV2CommandInput, PutObjectCommandInput } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { refused } from "./case.ts";
import type { ConformanceCase } from "./case.ts";
import type { Target } from "./target.ts";

/** A bucket of the target and the verbs that the cases use most. */
async function open({ s3, bucket }: Target) {
  const Bucket = await bucket();
  return {
    Bucket,
    s3,
    put: (Key: string, Body: NonNullable<PutObjectCommandInput["Body"]>, input: Partial<PutObjectCommandInput> = {}) =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body, ...input })),
    get: (Key: string, input: Partial<GetObjectCommandInput> = {}) =>
      s3.send(new GetObjectCommand({ Bucket, Key, ...input })),
    text: async (Key: string, input: Partial<GetObjectCommandInput> = {}) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...input }));
      return Body?.transformToString();
    },
    head: (Key: string) => s3.send(new HeadObjectCommand({ Bucket, Key })),
    list: (input: Partial<ListObjectsV2CommandInput> = {}) => s3.send(new ListObjectsV2Command({ Bucket, ...input })),
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

function s3Case(name: string, run: (opened: Opened, target: Target) => Promise<void>): ConformanceCase {
  return { service: "s3", name: `s3: ${name}`, run: async (target) => run(await open(target), target) };
}

const LARGE = Buffer.alloc(5 * 1024 * 1024, "part ");

export const s3Cases: ConformanceCase[] = [
  s3Case("an object comes back with its content, type, metadata and MD5", async ({ put, get, head }) => {
    const { ETag } = await put("a/b", "hello", { ContentType: "text/plain", Metadata: { one: "1" } });
    assert.equal(ETag, `"${createHash("md5").update("hello").digest("hex")}"`);
    const { Body, ContentType, Metadata, ContentLength } = await get("a/b");
    assert.equal(await Body?.transformToString(), "hello");
    assert.deepEqual([ContentType, Metadata, ContentLength], ["text/plain", { one: "1" }, 5]);
    assert.equal((await head("a/b")).ETag, ETag);
  }),
  s3Case("a streamed upload comes back byte for byte", async ({ put, get }) => {
    const content = Buffer.alloc(70_000, "0123456789");
    const chunks = [content.subarray(0, 1), content.subarray(1, 66_000), content.subarray(66_000)];
    await put("key", Readable.from(chunks), { ContentLength: content.length });
    const { Body } = await get("key");
    assert(content.equals((await Body?.transformToByteArray()) ?? new Uint8Array()));
  }),
  s3Case("what is not there has the documented errors", async ({ get, head, s3 }) => {
    await refused(get("missing"), "NoSuchKey");
    await refused(head("missing"), "NotFound");
    const Bucket = "conformance-no-such-bucket-0123456789";
    await refused(s3.send(new ListObjectsV2Command({ Bucket })), "NoSuchBucket");
    await refused(s3.send(new HeadBucketCommand({ Bucket })), "NotFound");
  }),
  s3Case("a deletion succeeds whether or not there is something", async ({ put, get, s3, Bucket }) => {
    await put("key", "x");
    for (const Key of ["key", "key", "never"]) await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    await refused(get("key"), "NoSuchKey");
  }),
  s3Case("DeleteObjects removes many, and is quiet where it is told to", async ({ put, list, s3, Bucket }) => {
    for (const key of ["a", "b&<>", "c"]) await put(key, "x");
    const Objects = [{ Key: "a" }, { Key: "b&<>" }, { Key: "missing" }];
    const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.deepEqual(Deleted?.map(({ Key }) => Key).sort(), ["a", "b&<>", "missing"]);
    const quiet = new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: "c" }], Quiet: true } });
    assert.equal((await s3.send(quiet)).Deleted, undefined);
    assert.equal((await list()).KeyCount, 0);
  }),
  s3Case("a bucket with objects is not deleted", async ({ put, s3, Bucket }) => {
    await put("key", "x");
    await refused(s3.send(new DeleteBucketCommand({ Bucket })), "BucketNotEmpty");
  }),
  s3Case("If-None-Match: * creates only", async ({ put, text }) => {
    await put("key", "first", { IfNoneMatch: "*" });
    await refused(put("key", "second", { IfNoneMatch: "*" }), "PreconditionFailed");
    assert.equal(await text("key"), "first");
  }),
  s3Case("If-Match replaces only that version", async ({ put, text }) => {
    const { ETag = "" } = await put("key", "first");
    await put("key", "second", { IfMatch: ETag });
    await refused(put("key", "third", { IfMatch: ETag }), "PreconditionFailed");
    await refused(put("missing", "x", { IfMatch: ETag }), "NoSuchKey");
    assert.equal(await text("key"), "second");
  }),
  s3Case("reads have conditions, too", async ({ put, get }) => {
    const { ETag = "" } = await put("key", "x");
    await refused(get("key", { IfMatch: '"0"' }), "PreconditionFailed");
    await assert.rejects(get("key", { IfNoneMatch: ETag }), (error: { $metadata?: { httpStatusCode?: number } }) => {
      return error.$metadata?.httpStatusCode === 304;
    });
    await get("key", { IfMatch: ETag, IfNoneMatch: '"0"' });
  }),
  s3Case("ranges give parts, and 416 beyond the end", async ({ put, get, text }) => {
    await put("key", "0123456789");
    assert.equal(await text("key", { Range: "bytes=2-4" }), "234");
    assert.equal(await text("key", { Range: "bytes=-3" }), "789");
    assert.equal(await text("key", { Range: "bytes=8-100" }), "89");
    assert.equal((await get("key", { Range: "bytes=2-4" })).ContentRange, "bytes 2-4/10");
    await refused(get("key", { Range: "bytes=10-" }), "InvalidRange");
  }),
  s3Case("response parameters override headers", async ({ put, get }) => {
    await put("key", "x", { ContentType: "text/plain" });
    const input = { ResponseContentType: "image/png", ResponseContentDisposition: "attachment" };
    const { ContentType, ContentDisposition } = await get("key", input);
    assert.deepEqual([ContentType, ContentDisposition], ["image/png", "attachment"]);
  }),
  s3Case("a checksum that does not fit is refused", async ({ put, get }) => {
    await refused(put("key", "hello", { ChecksumCRC32: "AAAAAA==" }), "BadDigest");
    await refused(put("key", "hello", { ContentMD5: "1B2M2Y8AsgTpgAmY7PhCfg==" }), "BadDigest");
    await refused(get("key"), "NoSuchKey");
  }),
  s3Case("the CRC32 of an object comes back", async ({ put, get }) => {
    await put("key", "hello");
    const { ChecksumCRC32, ChecksumType } = await get("key", { ChecksumMode: "ENABLED" });
    assert.deepEqual([ChecksumCRC32, ChecksumType], ["NhCmhg==", "FULL_OBJECT"]);
  }),
  s3Case("listings are in the order of UTF-8 bytes", async ({ put, list }) => {
    const keys = ["a", "B", "ä", "😀", "\uffee", "a/b", "a b"];
    for (const key of keys) await put(key, "x");
    const expected = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(
      (await list()).Contents?.map(({ Key }) => Key),
      expected,
    );
  }),
  s3Case("listings come by prefix, delimiter and page", async ({ put, list }) => {
    for (const key of ["a/1", "a/2", "b/1", "c", "d"]) await put(key, "x");
    const first = await list({ Delimiter: "/", MaxKeys: 2 });
    assert.deepEqual([first.CommonPrefixes?.map(({ Prefix }) => Prefix), first.Contents], [["a/", "b/"], undefined]);
    const { NextContinuationToken: ContinuationToken } = first;
    const second = await list({ Delimiter: "/", MaxKeys: 2, ContinuationToken });
    assert.deepEqual(
      second.Contents?.map(({ Key }) => Key),
      ["c", "d"],
    );
    assert.equal(second.IsTruncated, false);
    const { Contents } = await list({ Prefix: "a/", StartAfter: "a/1" });
    assert.deepEqual(
      Contents?.map(({ Key }) => Key),
      ["a/2"],
    );
  }),
  s3Case("strange keys are keys", async ({ put, text, list }) => {
    const keys = ["../../etc/passwd", "a//b", "a?b=c&d", "%00", "+ +", "./x", "é\u0301", "x".repeat(1024)];
    for (const key of keys) await put(key, key.slice(0, 20));
    for (const key of keys) assert.equal(await text(key), key.slice(0, 20));
    const { Contents } = await list({ EncodingType: "url" });
    assert.deepEqual(
      Contents?.map(({ Key = "" }) => decodeURIComponent(Key.replaceAll("+", " "))).sort(),
      keys.toSorted(),
    );
  }),
  s3Case("a key of 1,025 bytes is refused", async ({ put }) => {
    await refused(put("x".repeat(1025), "x"), "KeyTooLongError");
  }),
  s3Case("CopyObject copies content and metadata, or replaces the latter", async ({ put, head, text, s3, Bucket }) => {
    await put("from", "hello", { Metadata: { one: "1" } });
    const copy = { Bucket, CopySource: `${Bucket}/from` };
    await s3.send(new CopyObjectCommand({ ...copy, Key: "same" }));
    await s3.send(
      new CopyObjectCommand({ ...copy, Key: "other", MetadataDirective: "REPLACE", Metadata: { two: "2" } }),
    );
    assert.equal(await text("same"), "hello");
    assert.deepEqual((await head("same")).Metadata, { one: "1" });
    assert.deepEqual((await head("other")).Metadata, { two: "2" });
    await refused(s3.send(new CopyObjectCommand({ ...copy, Key: "from" })), "InvalidRequest");
    await refused(
      s3.send(new CopyObjectCommand({ ...copy, Key: "x", CopySourceIfMatch: '"0"' })),
      "PreconditionFailed",
    );
  }),
  s3Case("a multipart upload becomes one object", async ({ s3, Bucket, get }) => {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "key" }));
    const upload = { Bucket, Key: "key", UploadId };
    const one = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: LARGE }));
    const two = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: "end" }));
    const { Parts: listed } = await s3.send(new ListPartsCommand(upload));
    assert.deepEqual(
      listed?.map(({ Size }) => Size),
      [LARGE.length, 3],
    );
    const Parts = [one, two].map(({ ETag }, index) => ({ ETag, PartNumber: index + 1 }));
    const { ETag } = await s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    assert.match(ETag ?? "", /^"[0-9a-f]{32}-2"$/);
    const { Body } = await get("key");
    const content = (await Body?.transformToByteArray()) ?? new Uint8Array();
    assert(Buffer.concat([LARGE, Buffer.from("end")]).equals(content));
  }),
  s3Case("a multipart upload with wrong parts is refused", async ({ s3, Bucket }) => {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "key" }));
    const upload = { Bucket, Key: "key", UploadId };
    const one = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body: "small" }));
    const two = await s3.send(new UploadPartCommand({ ...upload, PartNumber: 2, Body: "end" }));
    const complete = (...numbers: number[]) => {
      const Parts = numbers.map((PartNumber) => ({ PartNumber, ETag: PartNumber === 1 ? one.ETag : two.ETag }));
      return s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }));
    };
    await refused(complete(2, 1), "InvalidPartOrder");
    await refused(complete(1, 2), "EntityTooSmall");
    await refused(complete(3), "InvalidPart");
    await s3.send(new AbortMultipartUploadCommand(upload));
    await refused(complete(1), "NoSuchUpload");
  }),
  s3Case("presigned URLs do one thing for a while", async ({ put, Bucket }, target) => {
    await put("key", "hello");
    const s3 = target.openS3({ requestChecksumCalculation: "WHEN_REQUIRED" });
    const get = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "key" }), { expiresIn: 60 });
    assert.equal(await (await fetch(get)).text(), "hello");
    assert.equal((await fetch(get, { method: "DELETE" })).status, 403);
    assert.equal((await fetch(get.replace("/key?", "/other?"))).status, 403);
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: "uploaded" }), { expiresIn: 60 });
    assert.equal((await fetch(url, { method: "PUT", body: "by anyone" })).status, 200);
    const signingDate = new Date(Date.now() - 120_000);
    const late = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "key" }), { expiresIn: 60, signingDate });
    assert.equal((await fetch(late)).status, 403);
  }),
  s3Case("a wrong secret is refused", async ({ Bucket, s3 }, { openS3 }) => {
    const { accessKeyId } = await s3.config.credentials();
    const thief = openS3({ credentials: { accessKeyId, secretAccessKey: "wrong" } });
    await refused(thief.send(new ListObjectsV2Command({ Bucket })), "SignatureDoesNotMatch");
  }),
  s3Case("lifecycle rules are kept", async ({ Bucket, s3 }) => {
    const get = new GetBucketLifecycleConfigurationCommand({ Bucket });
    await refused(s3.send(get), "NoSuchLifecycleConfiguration");
    const Rules = [{ ID: "logs", Status: "Enabled" as const, Filter: { Prefix: "logs/" }, Expiration: { Days: 30 } }];
    const put = { Bucket, LifecycleConfiguration: { Rules } };
    await s3.send(new PutBucketLifecycleConfigurationCommand(put));
    assert.deepEqual((await s3.send(get)).Rules, Rules);
  }),
];
