import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { createTestBucket } from "./test-bucket.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

const refused = { name: "PreconditionFailed", $metadata: { httpStatusCode: 412 } };

describe("If-None-Match: * on a write", () => {
  it("creates and never replaces", async () => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("key", "first", { IfNoneMatch: "*" });
    await expect(bucket.put("key", "second", { IfNoneMatch: "*" })).rejects.toMatchObject(refused);
    expect((await bucket.get("key")).toString()).toBe("first");
  });

  it.each([10, 50_000])("lets exactly one of 20 concurrent writers of %i bytes win", async (size) => {
    const bucket = await createTestBucket(cloud);
    const bodies = Array.from({ length: 20 }, (_, index) => String(index).padEnd(size, "."));
    const results = await Promise.allSettled(bodies.map((body) => bucket.put("key", body, { IfNoneMatch: "*" })));
    const winners = bodies.filter((_, index) => results[index]?.status === "fulfilled");
    expect(winners).toEqual([(await bucket.get("key")).toString()]);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject(refused);
  });

  it("creates again after a deletion", async () => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("key", "first");
    await cloud.s3.send(new DeleteObjectCommand({ Bucket: bucket.name, Key: "key" }));
    await bucket.put("key", "second", { IfNoneMatch: "*" });
  });

  it("takes no ETag, as S3 does not", async () => {
    const bucket = await createTestBucket(cloud);
    await expect(bucket.put("key", "x", { IfNoneMatch: '"abc"' })).rejects.toMatchObject({ name: "NotImplemented" });
  });
});

describe("If-Match on a write", () => {
  it("replaces the version it names and no other", async () => {
    const bucket = await createTestBucket(cloud);
    const first = await bucket.put("key", "first");
    await bucket.put("key", "second", { IfMatch: first.ETag });
    await expect(bucket.put("key", "third", { IfMatch: first.ETag })).rejects.toMatchObject(refused);
    expect((await bucket.get("key")).toString()).toBe("second");
  });

  it("is NoSuchKey where there is nothing", async () => {
    const bucket = await createTestBucket(cloud);
    const putting = bucket.put("key", "x", { IfMatch: '"abc"' });
    await expect(putting).rejects.toMatchObject({ name: "NoSuchKey", $metadata: { httpStatusCode: 404 } });
  });

  it("lets one of 20 concurrent swaps win, also while others write without a condition", async () => {
    const bucket = await createTestBucket(cloud);
    const { ETag } = await bucket.put("key", "first");
    const swaps = Array.from({ length: 20 }, (_, index) => bucket.put("key", `swap ${index}`, { IfMatch: ETag }));
    const results = await Promise.allSettled([...swaps, bucket.put("other", "x")]);
    expect(results.slice(0, 20).filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("protects a deletion", async () => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("key", "x");
    const deleting = new DeleteObjectCommand({ Bucket: bucket.name, Key: "key", IfMatch: '"abc"' });
    await expect(cloud.s3.send(deleting)).rejects.toMatchObject(refused);
    expect((await bucket.get("key")).toString()).toBe("x");
  });
});

describe("conditions on a read", () => {
  it("give 304 for what the client has, and 412 for what it does not expect", async () => {
    const bucket = await createTestBucket(cloud);
    const { ETag } = await bucket.put("key", "x");
    const target = { Bucket: bucket.name, Key: "key" };
    const unchanged = { $metadata: { httpStatusCode: 304 } };
    await expect(cloud.s3.send(new GetObjectCommand({ ...target, IfNoneMatch: ETag }))).rejects.toMatchObject(
      unchanged,
    );
    await expect(cloud.s3.send(new HeadObjectCommand({ ...target, IfNoneMatch: ETag }))).rejects.toMatchObject(
      unchanged,
    );
    await cloud.s3.send(new HeadObjectCommand({ ...target, IfNoneMatch: '"abc"' }));
    await cloud.s3.send(new HeadObjectCommand({ ...target, IfMatch: ETag }));
    await expect(cloud.s3.send(new GetObjectCommand({ ...target, IfMatch: '"abc"' }))).rejects.toMatchObject(refused);
  });

  type Given = { match?: boolean; noneMatch?: boolean; unmodifiedSince?: Side; modifiedSince?: Side };
  type Side = "before" | "after";
  it.each<[string, Given, number]>([
    ["an ETag that fits outweighs a change since", { match: true, unmodifiedSince: "before" }, 200],
    ["an ETag that does not fit outweighs no change since", { match: false, unmodifiedSince: "after" }, 412],
    ["an ETag that the client has outweighs a change since", { noneMatch: true, modifiedSince: "before" }, 304],
    ["an ETag that the client has not outweighs no change since", { noneMatch: false, modifiedSince: "after" }, 200],
    ["what is expected is looked at before what the client has", { match: false, noneMatch: true }, 412],
    ["what is expected may be what the client has", { match: true, noneMatch: true }, 304],
    [
      "a change that is not expected is told before one that is not known",
      { unmodifiedSince: "before", noneMatch: true },
      412,
    ],
  ])("%s", async (_, { match, noneMatch, unmodifiedSince, modifiedSince }, status) => {
    const bucket = await createTestBucket(cloud);
    const { ETag } = await bucket.put("key", "x");
    const target = { Bucket: bucket.name, Key: "key" };
    const { LastModified } = await cloud.s3.send(new HeadObjectCommand(target));
    const tag = (fits: boolean) => (fits ? ETag : '"abc"');
    const time = (side: "before" | "after") =>
      new Date((LastModified?.getTime() ?? 0) + (side === "before" ? -5000 : 0));
    const conditions = {
      ...(match !== undefined && { IfMatch: tag(match) }),
      ...(noneMatch !== undefined && { IfNoneMatch: tag(noneMatch) }),
      ...(unmodifiedSince && { IfUnmodifiedSince: time(unmodifiedSince) }),
      ...(modifiedSince && { IfModifiedSince: time(modifiedSince) }),
    };
    const input = { ...target, ...conditions };
    const got = await cloud.s3.send(new GetObjectCommand(input)).catch((error: unknown) => error);
    const head = await cloud.s3.send(new HeadObjectCommand(input)).catch((error: unknown) => error);
    for (const answer of [got, head]) expect(answer).toMatchObject({ $metadata: { httpStatusCode: status } });
  });

  it("go by the time of change when no ETag is given", async () => {
    const bucket = await createTestBucket(cloud);
    await bucket.put("key", "x");
    const target = { Bucket: bucket.name, Key: "key" };
    const { LastModified } = await cloud.s3.send(new HeadObjectCommand(target));
    const before = new Date((LastModified?.getTime() ?? 0) - 1000);
    await cloud.s3.send(new HeadObjectCommand({ ...target, IfModifiedSince: before, IfUnmodifiedSince: LastModified }));
    const same = cloud.s3.send(new GetObjectCommand({ ...target, IfModifiedSince: LastModified }));
    await expect(same).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    const old = cloud.s3.send(new GetObjectCommand({ ...target, IfUnmodifiedSince: before }));
    await expect(old).rejects.toMatchObject(refused);
  });
});
