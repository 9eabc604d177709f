import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { LARGEST_INLINE_BYTES } from "./content.ts";
import { createTestBucket } from "./test-bucket.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

const md5 = (bytes: Buffer, encoding: "hex" | "base64") => createHash("md5").update(bytes).digest(encoding);

describe("buckets", () => {
  it("are created once, listed, found, and deleted when they are empty", async () => {
    const bucket = await createTestBucket(cloud);
    const Bucket = bucket.name;
    await cloud.s3.send(new CreateBucketCommand({ Bucket }));
    const { Buckets } = await cloud.s3.send(new ListBucketsCommand({}));
    expect(Buckets).toContainEqual({ Name: Bucket, CreationDate: expect.any(Date) });
    await cloud.s3.send(new HeadBucketCommand({ Bucket }));
    await bucket.put("key", "x");
    await expect(cloud.s3.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({ name: "BucketNotEmpty" });
    await cloud.s3.send(new DeleteObjectCommand({ Bucket, Key: "key" }));
    await cloud.s3.send(new DeleteBucketCommand({ Bucket }));
    await expect(cloud.s3.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject({ name: "NotFound" });
    await expect(bucket.put("key", "x")).rejects.toMatchObject({ name: "NoSuchBucket" });
  });

  it.each(["Up", "ab", "a..b", "-ab", "1.2.3.4", "a_b"])("cannot be named %s", async (Bucket) => {
    const creating = cloud.s3.send(new CreateBucketCommand({ Bucket }));
    await expect(creating).rejects.toMatchObject({ name: "InvalidBucketName" });
  });
});

describe("an object", () => {
  it.each([0, 1, LARGEST_INLINE_BYTES, LARGEST_INLINE_BYTES + 1, 5_000_000])(
    "of %i bytes comes back as it was put, over a restart too",
    async (size) => {
      const bucket = await createTestBucket(cloud);
      const content = randomBytes(size);
      const put = await bucket.put("key", content);
      expect(put.ETag).toBe(`"${md5(content, "hex")}"`);
      expect((await bucket.get("key")).equals(content)).toBe(true);
      await cloud.restart();
      expect((await bucket.get("key")).equals(content)).toBe(true);
      const head = await cloud.s3.send(new HeadObjectCommand({ Bucket: bucket.name, Key: "key" }));
      expect(head).toMatchObject({ ContentLength: size, ETag: put.ETag, LastModified: expect.any(Date) });
    },
  );

  it("arrives whole when it is streamed in chunks with its checksum at the end", async () => {
    const bucket = await createTestBucket(cloud);
    const content = randomBytes(300_000);
    const pieces = [content.subarray(0, 7), content.subarray(7, 150_000), content.subarray(150_000)];
    await bucket.put("streamed", Readable.from(pieces), { ContentLength: content.length });
    expect((await bucket.get("streamed")).equals(content)).toBe(true);
    await bucket.put("small", Readable.from([Buffer.from("hel"), Buffer.from("lo")]), { ContentLength: 5 });
    expect((await bucket.get("small")).toString()).toBe("hello");
  });

  it("keeps its content type, metadata and the like; a request may ask for others", async () => {
    const bucket = await createTestBucket(cloud);
    const described = {
      ContentType: "image/png",
      CacheControl: "max-age=60",
      ContentDisposition: "inline",
      ContentEncoding: "gzip",
      ContentLanguage: "de",
      Metadata: { owner: "device-1", "two-words": "a b" },
    };
    await bucket.put("key", Readable.from([Buffer.from("hello")]), { ...described, ContentLength: 5 });
    await cloud.restart();
    const target = { Bucket: bucket.name, Key: "key" };
    expect(await cloud.s3.send(new HeadObjectCommand(target))).toMatchObject(described);
    const asked = {
      ResponseContentType: "text/plain",
      ResponseCacheControl: "no-store",
      ResponseContentDisposition: 'attachment; filename="a b.txt"',
      ResponseContentEncoding: "br",
      ResponseContentLanguage: "id",
      ResponseExpires: new Date(Date.UTC(2030, 0, 1)),
    };
    const answers = [
      await cloud.s3.send(new HeadObjectCommand({ ...target, ...asked })),
      await cloud.s3.send(new GetObjectCommand({ ...target, ...asked, Range: "bytes=0-1" })),
    ];
    for (const answer of answers) {
      expect(answer).toMatchObject({
        ContentType: "text/plain",
        CacheControl: "no-store",
        ContentDisposition: 'attachment; filename="a b.txt"',
        ContentEncoding: "br",
        ContentLanguage: "id",
        ExpiresString: "Tue, 01 Jan 2030 00:00:00 GMT",
        Metadata: described.Metadata,
      });
    }
  });

  it("has octet-stream for a type when none was given", async () => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("key", "x");
    const head = await cloud.s3.send(new HeadObjectCommand({ Bucket: bucket.name, Key: "key" }));
    expect(head.ContentType).toBe("application/octet-stream");
  });

  it("is the last one that was put", async () => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("key", randomBytes(50_000));
    await bucket.put("key", "second");
    await cloud.restart();
    expect((await bucket.get("key")).toString()).toBe("second");
  });

  it("is NoSuchKey when it is not there, also after its deletion, which may be repeated", async () => {
    const bucket = await createTestBucket(cloud);
    const target = { Bucket: bucket.name, Key: "key" };
    await expect(bucket.get("key")).rejects.toMatchObject({ name: "NoSuchKey", $metadata: { httpStatusCode: 404 } });
    await bucket.put("key", "x");
    await cloud.s3.send(new DeleteObjectCommand(target));
    await cloud.s3.send(new DeleteObjectCommand(target));
    await cloud.restart();
    await expect(bucket.get("key")).rejects.toMatchObject({ name: "NoSuchKey" });
    await expect(cloud.s3.send(new HeadObjectCommand(target))).rejects.toMatchObject({ name: "NotFound" });
  });

  it("can be read to its end while it is replaced", async () => {
    const bucket = await createTestBucket(cloud);
    const content = randomBytes(3_000_000);
    await bucket.put("key", content);
    const { Body } = await cloud.s3.send(new GetObjectCommand({ Bucket: bucket.name, Key: "key" }));
    await bucket.put("key", "new");
    expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(content)).toBe(true);
  });

  it("is deleted with many others in one request", async () => {
    const bucket = await createTestBucket(cloud);
    const keys = ["plain", "a&b", "<tag>", "new\nline", "ü/../x", "missing"];
    for (const key of keys.slice(0, -1)) await bucket.put(key, "x");
    await bucket.put("stays", "x");
    const Objects = keys.map((Key) => ({ Key }));
    const answer = await cloud.s3.send(new DeleteObjectsCommand({ Bucket: bucket.name, Delete: { Objects } }));
    expect(answer.Deleted?.map(({ Key }) => Key)).toEqual(keys);
    expect(await bucket.keys()).toEqual(["stays"]);
    const quiet = { Objects, Quiet: true };
    const silent = await cloud.s3.send(new DeleteObjectsCommand({ Bucket: bucket.name, Delete: quiet }));
    expect(silent.Deleted).toBeUndefined();
  });
});

describe("a key", () => {
  it.each([
    ["../../../../etc/passwd"],
    ["/leading/slash"],
    ["a/../b/./c//d"],
    ["..%2f..%2fescape"],
    ["%00 nul \u0001"],
    ["spaces + plus & = ? # [x]"],
    ["日本語/😀"],
    ["back\\slash"],
    ["x".repeat(1024)],
  ])("may be %s", async (key) => {
    const bucket = await createTestBucket(cloud);
    await bucket.put(key, key);
    await bucket.put(`${key.slice(0, 1000)}-large`, randomBytes(20_000));
    expect((await bucket.get(key)).toString()).toBe(key);
    expect(await bucket.keys({ EncodingType: "url", StartAfter: "\u0000", Prefix: key })).toHaveLength(
      key.length > 1000 ? 1 : 2,
    );
  });

  it("never becomes a path: the data directory holds nothing but the cloud's own names", async () => {
    const names = await readdir(cloud.dataDir);
    expect(names.filter((name) => !/^(blobs|lock|(journal|snapshot)-\d{8})$/.test(name))).toEqual([]);
    const blobs = await readdir(join(cloud.dataDir, "blobs"));
    expect(blobs.filter((name) => !/^[0-9a-f-]{36}$/.test(name))).toEqual([]);
  });

  it("has at most 1,024 bytes", async () => {
    const bucket = await createTestBucket(cloud);
    await expect(bucket.put("ü".repeat(513), "x")).rejects.toMatchObject({ name: "KeyTooLongError" });
  });
});

describe("ranges", () => {
  const text = "0123456789";
  it.each([
    ["bytes=0-3", "0123", "bytes 0-3/10"],
    ["bytes=7-", "789", "bytes 7-9/10"],
    ["bytes=-2", "89", "bytes 8-9/10"],
    ["bytes=5-100", "56789", "bytes 5-9/10"],
    ["bytes=-100", text, "bytes 0-9/10"],
    ["bytes=0-1,4-5", text, undefined],
    ["lines=1-2", text, undefined],
  ])("%s gives %s", async (Range, expected, ContentRange) => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("small", text);
    const large = Buffer.concat([Buffer.from(text), Buffer.alloc(LARGEST_INLINE_BYTES)]);
    await bucket.put("large", large);
    const get = (Key: string) => cloud.s3.send(new GetObjectCommand({ Bucket: bucket.name, Key, Range }));
    const small = await get("small");
    expect(await small.Body?.transformToString()).toBe(expected);
    expect(small.ContentRange).toBe(ContentRange);
    if (Range !== "bytes=0-3") return;
    expect(await (await get("large")).Body?.transformToString()).toBe(expected);
  });

  it.each(["bytes=10-", "bytes=-0"])("%s is not satisfiable", async (Range) => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("key", text);
    const getting = cloud.s3.send(new GetObjectCommand({ Bucket: bucket.name, Key: "key", Range }));
    await expect(getting).rejects.toMatchObject({ name: "InvalidRange", $metadata: { httpStatusCode: 416 } });
  });
});

describe("a damaged upload", () => {
  it.each([
    ["CRC32", { ChecksumCRC32: "AAAAAA==" }, "BadDigest"],
    ["Content-MD5", { ContentMD5: md5(Buffer.from("other"), "base64") }, "BadDigest"],
    ["form of Content-MD5", { ContentMD5: "short" }, "InvalidDigest"],
  ])("is refused for its %s and leaves what was there", async (_, digest, name) => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("key", "before");
    for (const content of ["after", "x".repeat(100_000)]) {
      await expect(bucket.put("key", content, digest)).rejects.toMatchObject({ name });
    }
    expect((await bucket.get("key")).toString()).toBe("before");
  });

  it("is accepted with digests that fit", async () => {
    const bucket = await createTestBucket(cloud);
    const content = Buffer.from("hello");
    await bucket.put("key", content, { ContentMD5: md5(content, "base64"), ChecksumCRC32: "NhCmhg==" });
    const head = await cloud.s3.send(
      new HeadObjectCommand({ Bucket: bucket.name, Key: "key", ChecksumMode: "ENABLED" }),
    );
    expect(head.ChecksumCRC32).toBe("NhCmhg==");
  });

  it("leaves no file behind when it is cut short", async () => {
    const bucket = await createTestBucket(cloud);
    const before = await readdir(join(cloud.dataDir, "blobs"));
    const abort = new AbortController();
    const body = Readable.from(
      (async function* () {
        yield randomBytes(100_000);
        abort.abort();
        yield randomBytes(100_000);
      })(),
    );
    const command = new PutObjectCommand({ Bucket: bucket.name, Key: "key", Body: body, ContentLength: 10_000_000 });
    await expect(cloud.s3.send(command, { abortSignal: abort.signal })).rejects.toThrow();
    await expect.poll(() => readdir(join(cloud.dataDir, "blobs"))).toEqual(before);
    await expect(bucket.get("key")).rejects.toMatchObject({ name: "NoSuchKey" });
  });
});

it("removes the files of objects that are gone", async () => {
  const bucket = await createTestBucket(cloud);
  const blobs = () => readdir(join(cloud.dataDir, "blobs"));
  const before = (await blobs()).length;
  for (const key of ["a", "b", "a"]) await bucket.put(key, randomBytes(20_000));
  await cloud.s3.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: "b" }));
  await expect.poll(async () => (await blobs()).length).toBe(before + 1);
});

it("keeps objects that belong in the journal out of memory and files", async () => {
  const bucket = await createTestBucket(cloud);
  const marker = randomBytes(12).toString("hex");
  await bucket.put("inline", marker);
  const journals = (await readdir(cloud.dataDir)).filter((name) => name.startsWith("journal-"));
  const contents = await Promise.all(journals.map((name) => readFile(join(cloud.dataDir, name), "latin1")));
  expect(contents.some((content) => content.includes(marker))).toBe(true);
});

const versioning = (Bucket: string) =>
  new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Enabled" } });

it.each([
  ["GetObjectAcl", (Bucket: string) => new GetObjectAclCommand({ Bucket, Key: "b" })],
  ["GetObject of a version", (Bucket: string) => new GetObjectCommand({ Bucket, Key: "b", VersionId: "1" })],
  ["GetObject of a part", (Bucket: string) => new GetObjectCommand({ Bucket, Key: "b", PartNumber: 1 })],
  ["ListObjects", (Bucket: string) => new ListObjectsCommand({ Bucket })],
  ["PutBucketVersioning", versioning],
])("says that it does not implement %s", async (_, command) => {
  const bucket = await createTestBucket(cloud);
  const sending = cloud.s3.send(command(bucket.name) as GetObjectCommand);
  await expect(sending).rejects.toMatchObject({ name: "NotImplemented", $metadata: { httpStatusCode: 501 } });
});
