import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { connect, credentials, region } from "./test-cloud.ts";
import { startCloudProcess } from "./test-process.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "cloud-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

it("says when it is ready, ends by itself on SIGTERM, and frees its directory", async () => {
  const cloud = await startCloudProcess(dataDir);
  expect(cloud.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(await cloud.stop("SIGTERM")).toBe(0);
  const again = await startCloudProcess(dataDir);
  expect(again.endpoint).toBeDefined();
  again.child.disconnect();
  await once(again.child, "exit");
  expect(again.child.exitCode).toBe(0);
});

it("refuses a directory that another process has, in one line, and takes over from a killed one", async () => {
  const first = await startCloudProcess(dataDir);
  const second = await startCloudProcess(dataDir);
  expect([second.endpoint, second.child.exitCode]).toEqual([undefined, 1]);
  expect(second.errors().trim()).toMatch(
    new RegExp(`^local cloud: the data directory is in use by process ${first.child.pid} on [^\n]+$`),
  );
  await first.stop("SIGKILL");
  const third = await startCloudProcess(dataDir);
  expect(third.endpoint).toBeDefined();
  await third.stop("SIGTERM");
});

it("takes the precision of its schedules, and says how it is used when there is no such one", async () => {
  const exact = await startCloudProcess(dataDir, 0, ["--precision", "minute"]);
  expect(exact.endpoint).toBeDefined();
  await exact.stop("SIGTERM");
  const wrong = await startCloudProcess(dataDir, 0, ["--precision", "hour"]);
  expect([wrong.endpoint, wrong.child.exitCode]).toEqual([undefined, 1]);
  expect(wrong.errors()).toContain("usage: main.ts --data DIR [--port N] [--host ADDRESS] [--precision second|minute]");
});

/** A shell limit on the size of files stands for a full disk: writes fail in the middle with EFBIG. */
it("refuses what a full disk does not take, keeps all that was acknowledged, and goes on when there is room", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const limited = `ulimit -S -f 64; exec "${process.execPath}" --import tsx "${main}" --data "${dataDir}"`;
  const env = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: region,
  };
  const child = spawn("bash", ["-c", limited], { env, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const endpoint = /http:\S+/.exec(line.toString())?.[0] ?? "";
  const clients = connect(endpoint);
  const Bucket = "bucket";
  const { QueueUrl = "" } = await clients.sqs.send(new CreateQueueCommand({ QueueName: "queue" }));
  await clients.s3.send(new CreateBucketCommand({ Bucket }));
  const put = (Key: string, size: number) =>
    clients.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key.padEnd(size, ".") }));
  const send = (body: string, size: number) =>
    clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: body.padEnd(size, ".") }));

  await send("first", 500);
  await expect(put("blob", 200_000)).rejects.toMatchObject({
    name: "InternalError",
    message: expect.stringContaining("could not write to its data directory: EFBIG"),
  });
  const attempts = Array.from({ length: 40 }, (_, index) => index);
  const results: PromiseSettledResult<unknown>[] = [];
  // Few at a time: what is written together fails together.
  for (let first = 0; first < attempts.length; first += 4) {
    const some = attempts.slice(first, first + 4);
    const writes = some.map((n) => (n % 2 === 0 ? put(`key-${n}`, 4_000) : send(`message-${n}`, 4_000)));
    results.push(...(await Promise.allSettled(writes)));
  }
  const kept = attempts.filter((index) => results[index]?.status === "fulfilled");
  expect(kept.length).toBeGreaterThan(3);
  expect(kept.length).toBeLessThan(40);
  const failure = results.find((result) => result.status === "rejected");
  expect(failure?.reason).toMatchObject({
    name: expect.stringMatching("Internal"),
    message: expect.stringContaining("EFBIG"),
  });
  const keys = kept.filter((index) => index % 2 === 0).map((index) => `key-${index}`);
  const list = async () => {
    const { Contents } = await clients.s3.send(new ListObjectsV2Command({ Bucket }));
    return Contents?.map(({ Key }) => Key);
  };
  expect(await list()).toEqual(keys.toSorted());
  await send("small enough", 20);
  const later = process.platform === "linux" ? ["later"] : [];
  for (const body of later) {
    // Now there is room, and the same process goes on.
    execFileSync("prlimit", ["--pid", String(child.pid), "--fsize=unlimited"]);
    await put(keys[0] ?? "", 200_000);
    await put(keys[0] ?? "", 4_000);
    await send(body, 4_000);
  }
  child.kill("SIGTERM");
  await once(child, "exit");
  clients.close();

  const roomy = await startCloudProcess(dataDir, Number(new URL(endpoint).port));
  expect(await list()).toEqual(keys.toSorted());
  for (const Key of keys) {
    const { Body } = await clients.s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body?.transformToString()).toBe(Key.padEnd(4_000, "."));
  }
  const received = [];
  for (;;) {
    const { Messages } = await clients.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (!Messages) break;
    received.push(...Messages.map(({ Body }) => Body?.replace(/\.+$/, "")));
  }
  const messages = kept.filter((index) => index % 2 === 1).map((index) => `message-${index}`);
  expect(new Set(received)).toEqual(new Set(["first", ...messages, "small enough", ...later]));
  expect(received).toHaveLength(messages.length + 2 + later.length);
  await put("blob", 200_000);
  await roomy.stop("SIGTERM");
  clients.close();
});
