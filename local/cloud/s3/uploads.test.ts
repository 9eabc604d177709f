import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from "@aws-sdk/client-s3";
import type {
  CompletedPart,
  CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommandInput,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { Buckets } from "./buckets.ts";
import { createTestBucket } from "./test-bucket.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

const MIB = 1024 * 1024;
const LARGE = Buffer.alloc(5 * MIB, "large part ");
const SMALL = Buffer.from("the end");
const unused = () => undefined;

async function startUpload(Key = "key", input: Partial<CreateMultipartUploadCommandInput> = {}) {
  const bucket = await createTestBucket(cloud);
  const target = { Bucket: bucket.name, Key };
  const { UploadId = "" } = await cloud.s3.send(new CreateMultipartUploadCommand({ ...target, ...input }));
  const named = { ...target, UploadId };
  return {
    bucket,
    named,
    part: async (PartNumber: number, Body: Buffer): Promise<CompletedPart> => {
      const { ETag } = await cloud.s3.send(new UploadPartCommand({ ...named, PartNumber, Body }));
      return { PartNumber, ETag: ETag ?? "" };
    },
    complete: (Parts: CompletedPart[], input: Partial<CompleteMultipartUploadCommandInput> = {}) =>
      cloud.s3.send(new CompleteMultipartUploadCommand({ ...named, MultipartUpload: { Parts }, ...input })),
    blobs: async () => (await readdir(join(cloud.dataDir, "blobs"))).length,
  };
}

const md5 = (content: Buffer) => createHash("md5").update(content).digest();
const crcBytes = (content: Buffer) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(content));
  return bytes;
};

describe("an upload in parts", () => {
  it("becomes one object, with the ETag, the checksum and the headers of a multipart object", async () => {
    const upload = await startUpload("key", {
      ContentType: "text/plain",
      Metadata: { a: "b" },
      ChecksumAlgorithm: "CRC32",
    });
    const parts = [await upload.part(1, LARGE), await upload.part(7, SMALL)];
    expect(await upload.bucket.keys()).toEqual([]);
    const answer = await upload.complete(parts);
    const etag = `"${createHash("md5")
      .update(Buffer.concat([md5(LARGE), md5(SMALL)]))
      .digest("hex")}-2"`;
    expect(answer).toMatchObject({ Bucket: upload.bucket.name, Key: "key", ETag: etag, ChecksumType: "COMPOSITE" });
    const whole = Buffer.concat([LARGE, SMALL]);
    expect((await upload.bucket.get("key")).equals(whole)).toBe(true);
    const head = await cloud.s3.send(
      new HeadObjectCommand({ Bucket: upload.bucket.name, Key: "key", ChecksumMode: "ENABLED" }),
    );
    const checksum = crcBytes(Buffer.concat([crcBytes(LARGE), crcBytes(SMALL)])).toString("base64");
    expect(head).toMatchObject({
      ContentLength: whole.length,
      ContentType: "text/plain",
      Metadata: { a: "b" },
      ETag: etag,
      ChecksumCRC32: `${checksum}-2`,
      ChecksumType: "COMPOSITE",
    });
    const range = new GetObjectCommand({ Bucket: upload.bucket.name, Key: "key", Range: "bytes=5242878-5242882" });
    const { Body } = await cloud.s3.send(range);
    expect(await Body?.transformToString()).toBe(whole.toString("latin1", 5242878, 5242883));
    // One file for the object; those of the parts are gone.
    expect(await upload.blobs()).toBe(1);
  });

  it("has a checksum of the whole content where that was asked for, and checks it", async () => {
    const upload = await startUpload("key", { ChecksumAlgorithm: "CRC32", ChecksumType: "FULL_OBJECT" });
    const parts = [await upload.part(1, LARGE), await upload.part(2, SMALL)];
    const ChecksumCRC32 = crcBytes(Buffer.concat([LARGE, SMALL])).toString("base64");
    await expect(upload.complete(parts, { ChecksumCRC32: "AAAAAA==" })).rejects.toMatchObject({ name: "BadDigest" });
    await expect(upload.complete(parts, { MpuObjectSize: 7 })).rejects.toMatchObject({ name: "InvalidRequest" });
    expect(await upload.complete(parts, { ChecksumCRC32 })).toMatchObject({
      ChecksumCRC32,
      ChecksumType: "FULL_OBJECT",
    });
  });

  it("takes the part that was sent last under a number, and only the parts that are named", async () => {
    const upload = await startUpload();
    await upload.part(1, Buffer.from("first try"));
    await upload.part(2, Buffer.from("not wanted"));
    await upload.complete([await upload.part(1, SMALL)]);
    expect((await upload.bucket.get("key")).equals(SMALL)).toBe(true);
  });

  it("survives a restart, half done", async () => {
    const upload = await startUpload("key", { Metadata: { a: "b" } });
    const first = await upload.part(1, LARGE);
    await cloud.restart();
    const { Parts } = await cloud.s3.send(new ListPartsCommand(upload.named));
    expect(Parts).toMatchObject([{ PartNumber: 1, Size: LARGE.length, ETag: first.ETag }]);
    const last = await upload.part(2, SMALL);
    await upload.complete([first, last]);
    await cloud.restart();
    expect((await upload.bucket.get("key")).length).toBe(LARGE.length + SMALL.length);
    expect(await cloud.s3.send(new HeadObjectCommand({ Bucket: upload.bucket.name, Key: "key" }))).toMatchObject({
      Metadata: { a: "b" },
      ETag: expect.stringMatching(/-2"$/),
    });
  });

  it("leaves nothing when it is aborted, or its bucket deleted", async () => {
    const upload = await startUpload();
    const before = await upload.blobs();
    const part = await upload.part(1, SMALL);
    await cloud.s3.send(new AbortMultipartUploadCommand(upload.named));
    await expect.poll(() => upload.blobs()).toBe(before);
    for (const late of [() => upload.part(2, SMALL), () => upload.complete([part])]) {
      await expect(late()).rejects.toMatchObject({ name: "NoSuchUpload" });
    }
    const other = await startUpload();
    await other.part(1, SMALL);
    await cloud.s3.send(new DeleteBucketCommand({ Bucket: other.bucket.name }));
    await expect.poll(() => other.blobs()).toBe(before);
  });

  it("is completed under the conditions of a write", async () => {
    const upload = await startUpload();
    await upload.bucket.put("key", "there already");
    const part = await upload.part(1, SMALL);
    await expect(upload.complete([part], { IfNoneMatch: "*" })).rejects.toMatchObject({ name: "PreconditionFailed" });
    await upload.complete([part]);
    expect((await upload.bucket.get("key")).equals(SMALL)).toBe(true);
  });

  it("is completed only over the version that it names", async () => {
    const upload = await startUpload();
    const part = await upload.part(1, SMALL);
    await expect(upload.complete([part], { IfMatch: '"abc"' })).rejects.toMatchObject({ name: "NoSuchKey" });
    const { ETag } = await upload.bucket.put("key", "there already");
    await expect(upload.complete([part], { IfMatch: '"abc"' })).rejects.toMatchObject({ name: "PreconditionFailed" });
    await upload.complete([part], { IfMatch: ETag });
    expect((await upload.bucket.get("key")).equals(SMALL)).toBe(true);
  });

  it("gives the same answer when it is completed again, over a restart too, whatever became of the object", async () => {
    const upload = await startUpload("key", { ChecksumAlgorithm: "CRC32" });
    const part = await upload.part(1, SMALL);
    const complete = async () => {
      const { Key, ETag, ChecksumCRC32, ChecksumType } = await upload.complete([part], { IfNoneMatch: "*" });
      return { Key, ETag, ChecksumCRC32, ChecksumType };
    };
    // The second waits for its turn and finds the first done.
    const [first, second] = await Promise.all([complete(), complete()]);
    expect(second).toEqual(first);
    await upload.bucket.put("key", "written since");
    await cloud.restart();
    expect(await complete()).toEqual(first);
    expect((await upload.bucket.get("key")).toString()).toBe("written since");
    await expect(upload.complete([{ ...part, ETag: '"other"' }])).rejects.toMatchObject({ name: "NoSuchUpload" });
    await expect(cloud.s3.send(new AbortMultipartUploadCommand(upload.named))).rejects.toMatchObject({
      name: "NoSuchUpload",
    });
    cloud.advance(11 * 60_000);
    await expect(complete()).rejects.toMatchObject({ name: "NoSuchUpload" });
  });

  it("is refused when its parts are not what was uploaded", async () => {
    const upload = await startUpload();
    const one = await upload.part(1, SMALL);
    const two = await upload.part(2, SMALL);
    const refusal = (parts: CompletedPart[]) =>
      upload.complete(parts).then(
        () => "accepted",
        (error: Error) => error.name,
      );
    expect(await refusal([two, one])).toBe("InvalidPartOrder");
    expect(await refusal([one, one])).toBe("InvalidPartOrder");
    expect(await refusal([one, two])).toBe("EntityTooSmall");
    expect(await refusal([{ ...one, ETag: '"0"' }])).toBe("InvalidPart");
    expect(await refusal([{ ...one, PartNumber: 9 }])).toBe("InvalidPart");
    expect(await refusal([{ ...one, ChecksumCRC32: "AAAAAA==" }])).toBe("InvalidPart");
    expect(await refusal([])).toBe("MalformedXML");
    await expect(upload.part(0, SMALL)).rejects.toMatchObject({ name: "InvalidArgument" });
    await expect(upload.part(10_001, SMALL)).rejects.toMatchObject({ name: "InvalidArgument" });
  });

  it("takes parts from objects that are there", async () => {
    const upload = await startUpload();
    await upload.bucket.put("source", "0123456789");
    const CopySource = `${upload.bucket.name}/source`;
    const input = { ...upload.named, PartNumber: 1, CopySource };
    const { CopyPartResult } = await cloud.s3.send(
      new UploadPartCopyCommand({ ...input, CopySourceRange: "bytes=2-4" }),
    );
    await upload.complete([{ PartNumber: 1, ETag: CopyPartResult?.ETag }]);
    expect((await upload.bucket.get("key")).toString()).toBe("234");
    const other = new UploadPartCopyCommand({ ...input, CopySourceRange: "bytes=2-10" });
    await expect(cloud.s3.send(other)).rejects.toMatchObject({ name: "NoSuchUpload" });
  });
});

it("remembers the last 1,000 completions of a bucket and not a longer list", () => {
  const buckets = new Buckets(() => 1_000, unused);
  buckets.apply({ type: "s3.bucket", name: "b", createdAt: 0 }, undefined);
  const completed = { key: "k", request: "", etag: "", crc32: 0, modifiedAt: 1_000 };
  for (let n = 0; n < 1_100; n += 1) {
    buckets.apply({ type: "s3.uploadEnded", bucket: "b", upload: `${n}`, completed }, undefined);
  }
  expect([...buckets.capture()]).toHaveLength(1_001);
  const bucket = buckets.byName.get("b");
  const remembered = ["99", "100", "1099"].map((id) => bucket && buckets.completedUpload(bucket, id));
  expect(remembered).toEqual([undefined, completed, completed]);
});

describe("listings", () => {
  it("give the parts in pages", async () => {
    const upload = await startUpload();
    for (const number of [3, 1, 2]) await upload.part(number, Buffer.alloc(number));
    const first = await cloud.s3.send(new ListPartsCommand({ ...upload.named, MaxParts: 2 }));
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: "2" });
    expect(first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    const { NextPartNumberMarker: PartNumberMarker } = first;
    const second = await cloud.s3.send(new ListPartsCommand({ ...upload.named, PartNumberMarker }));
    expect([second.IsTruncated, second.Parts?.length]).toEqual([false, 1]);
  });

  it("give the uploads of a bucket in pages, by key and then by age", async () => {
    const { name: Bucket } = await createTestBucket(cloud);
    const ids = new Map<string, string>();
    for (const Key of ["b", "a/1", "a/2", "ä ö"]) {
      const { UploadId } = await cloud.s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      ids.set(Key, UploadId ?? "");
    }
    const found: (string | undefined)[][] = [];
    let markers: { KeyMarker?: string; UploadIdMarker?: string } = {};
    for (;;) {
      const input = { Bucket, MaxUploads: 1, EncodingType: "url" as const, ...markers };
      const page = await cloud.s3.send(new ListMultipartUploadsCommand(input));
      found.push(...(page.Uploads ?? []).map(({ Key, UploadId }) => [Key, UploadId]));
      if (!page.IsTruncated) break;
      const decoded = decodeURIComponent((page.NextKeyMarker ?? "").replaceAll("+", " "));
      markers = { KeyMarker: decoded, UploadIdMarker: page.NextUploadIdMarker ?? "" };
    }
    expect(found).toEqual(["a/1", "a/2", "b", "ä ö"].map((key) => [expect.anything(), ids.get(key)]));
    const { Uploads } = await cloud.s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: "a/" }));
    expect(Uploads?.map(({ Key }) => Key)).toEqual(["a/1", "a/2"]);
  });
});
