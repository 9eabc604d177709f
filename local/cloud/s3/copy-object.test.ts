import { CopyObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import type { CopyObjectCommandInput } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { createTestBucket } from "./test-bucket.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

async function setUp() {
  const bucket = await createTestBucket(cloud);
  const source = await bucket.put("from", "content", { ContentType: "text/plain", Metadata: { a: "b" } });
  return {
    bucket,
    source,
    copy: (input: Partial<CopyObjectCommandInput> = {}) =>
      cloud.s3.send(
        new CopyObjectCommand({ Bucket: bucket.name, Key: "to", CopySource: `${bucket.name}/from`, ...input }),
      ),
    head: (Key: string) => cloud.s3.send(new HeadObjectCommand({ Bucket: bucket.name, Key })),
  };
}

it.each([0, 100, 1_000_000])("copies content of %i bytes with everything that describes it", async (size) => {
  const { bucket, copy, head } = await setUp();
  const content = Buffer.alloc(size, "abc");
  const { ETag } = await bucket.put("from", content, { ContentType: "text/plain", Metadata: { a: "b" } });
  const { CopyObjectResult } = await copy();
  expect(CopyObjectResult).toMatchObject({ ETag, LastModified: expect.any(Date), ChecksumType: "FULL_OBJECT" });
  await bucket.put("from", "changed later");
  expect((await bucket.get("to")).equals(content)).toBe(true);
  expect(await head("to")).toMatchObject({ ContentType: "text/plain", Metadata: { a: "b" }, ETag });
});

it("takes other metadata where it is told to, also for the object itself", async () => {
  const { copy, head } = await setUp();
  await copy({ MetadataDirective: "REPLACE", Metadata: { c: "d" } });
  expect(await head("to")).toMatchObject({ ContentType: "application/octet-stream", Metadata: { c: "d" } });
  await expect(copy({ Key: "from" })).rejects.toMatchObject({ name: "InvalidRequest" });
  await copy({ Key: "from", MetadataDirective: "REPLACE", ContentType: "image/png" });
  expect(await head("from")).toMatchObject({ ContentType: "image/png", Metadata: {} });
});

it("copies from another bucket, and keys that need encoding", async () => {
  const { bucket, copy } = await setUp();
  const other = await createTestBucket(cloud);
  await other.put("a b/ä+%?", "special");
  await copy({ CopySource: `/${other.name}/${encodeURIComponent("a b/ä+%?")}` });
  expect((await bucket.get("to")).toString()).toBe("special");
});

it("does so only under the conditions that were given", async () => {
  const { bucket, copy, source } = await setUp();
  const refused = { name: "PreconditionFailed" };
  await expect(copy({ CopySourceIfMatch: '"0"' })).rejects.toMatchObject(refused);
  await expect(copy({ CopySourceIfNoneMatch: source.ETag ?? "" })).rejects.toMatchObject(refused);
  const hourAgo = new Date(Date.now() - 3_600_000);
  await expect(copy({ CopySourceIfUnmodifiedSince: hourAgo })).rejects.toMatchObject(refused);
  await expect(copy({ CopySourceIfModifiedSince: new Date(Date.now() + 60_000) })).rejects.toMatchObject(refused);
  await copy({ CopySourceIfMatch: source.ETag ?? "", CopySourceIfModifiedSince: hourAgo, IfNoneMatch: "*" });
  await expect(copy({ IfNoneMatch: "*" })).rejects.toMatchObject(refused);
  expect((await bucket.get("to")).toString()).toBe("content");
});

it("refuses sources that are not there or no sources", async () => {
  const { bucket, copy } = await setUp();
  await expect(copy({ CopySource: `${bucket.name}/missing` })).rejects.toMatchObject({ name: "NoSuchKey" });
  await expect(copy({ CopySource: "missing-bucket/from" })).rejects.toMatchObject({ name: "NoSuchBucket" });
  await expect(copy({ CopySource: "nonsense" })).rejects.toMatchObject({ name: "InvalidArgument" });
  await expect(copy({ CopySource: `${bucket.name}/%zz` })).rejects.toMatchObject({ name: "InvalidArgument" });
  await expect(copy({ CopySource: `${bucket.name}/from?versionId=1` })).rejects.toMatchObject({
    name: "NotImplemented",
  });
});
