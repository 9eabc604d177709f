import {
  CreateMultipartUploadCommand,
  DeleteBucketLifecycleCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketLifecycleConfigurationCommand,
} from "@aws-sdk/client-s3";
import type { LifecycleRule } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { endOfDays } from "./lifecycle-rule.ts";
import { createTestBucket } from "./test-bucket.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

const DAY_MS = 24 * 3600 * 1000;
const enabled = { Status: "Enabled" } as const;

function setRules(Bucket: string, ...Rules: LifecycleRule[]) {
  const input = { Bucket, LifecycleConfiguration: { Rules } };
  return cloud.s3.send(new PutBucketLifecycleConfigurationCommand(input));
}

it("counts days to the midnight after them", () => {
  const noon = Date.UTC(2026, 0, 1, 12);
  expect(new Date(endOfDays(noon, 3)).toISOString()).toBe("2026-01-05T00:00:00.000Z");
  expect(new Date(endOfDays(Date.UTC(2026, 0, 1), 1)).toISOString()).toBe("2026-01-02T00:00:00.000Z");
});

describe("the rules of a bucket", () => {
  it("come back as they were given, also after a restart, until they are deleted", async () => {
    const { name: Bucket } = await createTestBucket(cloud);
    const get = () => cloud.s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    await expect(get()).rejects.toMatchObject({ name: "NoSuchLifecycleConfiguration" });
    const Rules: LifecycleRule[] = [
      { ID: "logs", ...enabled, Filter: { Prefix: "lögs/" }, Expiration: { Days: 30 } },
      { ID: "old", Status: "Disabled", Prefix: "", Expiration: { Date: new Date("2030-01-01T00:00:00Z") } },
      { ID: "parts", ...enabled, Filter: { Prefix: "" }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } },
    ];
    await setRules(Bucket, ...Rules);
    expect((await get()).Rules).toEqual(Rules);
    await cloud.restart();
    expect((await get()).Rules).toEqual(Rules);
    await cloud.s3.send(new DeleteBucketLifecycleCommand({ Bucket }));
    await expect(get()).rejects.toMatchObject({ name: "NoSuchLifecycleConfiguration" });
  });

  it.each<[string, LifecycleRule]>([
    ["InvalidRequest", { ...enabled, Filter: { Prefix: "" } }],
    ["InvalidArgument", { ...enabled, Filter: { Prefix: "" }, Expiration: { Days: 0 } }],
    ["InvalidArgument", { ...enabled, Filter: { Prefix: "" }, Expiration: { Date: new Date("2030-01-01T01:00:00Z") } }],
    ["NotImplemented", { ...enabled, Filter: { Tag: { Key: "a", Value: "b" } }, Expiration: { Days: 1 } }],
    ["NotImplemented", { ...enabled, Filter: {}, Transitions: [{ Days: 1, StorageClass: "GLACIER" }] }],
    ["MalformedXML", { ...enabled, Expiration: { Days: 1 } }],
  ])("are refused with %s where they make no sense or more than is understood", async (name, rule) => {
    const bucket = await createTestBucket(cloud);
    await expect(setRules(bucket.name, rule)).rejects.toMatchObject({ name });
  });
});

it("removes objects and uploads when their days are over, and nothing else", async () => {
  const bucket = await createTestBucket(cloud);
  const { name: Bucket } = bucket;
  await setRules(
    Bucket,
    { ID: "tmp rule", ...enabled, Filter: { Prefix: "tmp/" }, Expiration: { Days: 2 } },
    { Status: "Disabled", Filter: { Prefix: "kept/" }, Expiration: { Days: 1 } },
    { ...enabled, Filter: { Prefix: "" }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
  );
  await bucket.put("tmp/old", "x");
  await bucket.put("kept/old", "x");
  await cloud.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "half" }));
  const { Expiration } = await cloud.s3.send(new HeadObjectCommand({ Bucket, Key: "tmp/old" }));
  const end = new Date(endOfDays(Date.now(), 2)).toUTCString();
  expect(Expiration).toBe(`expiry-date="${end}", rule-id="tmp%20rule"`);

  cloud.advance(2 * DAY_MS);
  await bucket.put("tmp/new", "x");
  await cloud.restart();
  const uploads = async () => (await cloud.s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads;
  await expect.poll(uploads).toBeUndefined();
  expect(await bucket.keys()).toEqual(["kept/old", "tmp/new", "tmp/old"]);
  cloud.advance(DAY_MS);
  await cloud.restart();
  await expect.poll(() => bucket.keys()).toEqual(["kept/old", "tmp/new"]);
});
