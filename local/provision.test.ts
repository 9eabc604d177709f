import { ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { newCommandId, newMediaId, newUserId } from "../shared/ids.ts";
import type { DeviceId } from "../shared/ids.ts";
import { mediaObject, receivedObject, uploadObject } from "../shared/media.ts";
import { RESULTS_PREFIX } from "../shared/results.ts";
import { credentials, region, startTestCloud } from "./cloud/test-cloud.ts";
import type { TestCloud } from "./cloud/test-cloud.ts";
import { provision } from "./provision.ts";
import type { Provisioned } from "./provision.ts";

const DAY_MS = 86_400_000;
let cloud: TestCloud;
let made: Provisioned;

beforeAll(async () => {
  cloud = await startTestCloud();
  made = await provision({ endpoint: cloud.endpoint, region, ...credentials });
});
afterAll(() => cloud.dispose());

const put = (Bucket: string, ...keys: string[]) =>
  Promise.all(keys.map((Key) => cloud.s3.send(new PutObjectCommand({ Bucket, Key, Body: "-" }))));
const keysIn = async (Bucket: string) =>
  ((await cloud.s3.send(new ListObjectsV2Command({ Bucket }))).Contents ?? []).map(({ Key }) => Key);
/** What has expired goes at a start, and once a day. */
const pass = async (days: number) => {
  cloud.advance(days * DAY_MS);
  await cloud.restart();
};
/** Listed in the order of the keys. */
const expectIn = (bucket: string, keys: string[]) =>
  expect.poll(() => keysIn(bucket), { timeout: 60_000 }).toEqual(keys);

test("files go by themselves, answers and uploads after a day, others after a month; of a device's state only its log", async () => {
  const file = mediaObject({ sha256: "0".repeat(64) });
  const received = receivedObject({ userId: newUserId(), deviceId: "shop" as DeviceId }, "3EB0");
  await put(made.mediaBucket, file, received, uploadObject(newMediaId()), `${RESULTS_PREFIX}${newCommandId()}`);
  await put(made.stateBucket, "log/devices/usr_1/shop/1", "devices/usr_1/shop/HEAD");

  await pass(3);
  await expectIn(made.mediaBucket, [file, received]);
  expect(await keysIn(made.stateBucket)).toHaveLength(2);

  await pass(30);
  await expectIn(made.mediaBucket, []);
  await expectIn(made.stateBucket, ["devices/usr_1/shop/HEAD"]);
});
