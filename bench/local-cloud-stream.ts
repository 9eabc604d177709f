import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { connect } from "../local/cloud/test-cloud.ts";
import { startCloudProcess } from "../local/cloud/test-process.ts";
import { memoryMb } from "./support/process-usage.ts";
import { report } from "./support/report.ts";

const SIZE = 1024 ** 3;
const CHUNK = randomBytes(1024 * 1024);
const LIMIT_MB = 50;

/** An object of 1 GB through the local cloud and back: time, and what it adds to the memory of the process. */
async function localCloudStream(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "cloud-"));
  const { child, endpoint = "", stop } = await startCloudProcess(dataDir);
  const { s3, close } = connect(endpoint);
  const target = { Bucket: "bench", Key: "large" };
  await s3.send(new CreateBucketCommand(target));
  // The first requests load code; that is not what is measured.
  await s3.send(new PutObjectCommand({ ...target, Key: "small", Body: CHUNK }));
  await (await s3.send(new GetObjectCommand({ ...target, Key: "small" }))).Body?.transformToByteArray();
  const before = await memoryMb(child.pid ?? 0);

  const inAt = performance.now();
  await s3.send(new PutObjectCommand({ ...target, Body: Readable.from(chunks()), ContentLength: SIZE }));
  const inMs = performance.now() - inAt;
  const afterIn = await memoryMb(child.pid ?? 0);
  const outAt = performance.now();
  const { Body } = await s3.send(new GetObjectCommand(target));
  let received = 0;
  for await (const chunk of Body as Readable) received += (chunk as Buffer).length;
  const outMs = performance.now() - outAt;
  const after = await memoryMb(child.pid ?? 0);
  if (received !== SIZE) throw new Error(`${received} bytes came back`);

  const extra = { in: afterIn.peak - before.now, inAndOut: after.peak - before.now };
  await report("local-cloud-stream", {
    megabytes: SIZE / 1024 ** 2,
    limitMb: LIMIT_MB,
    extraMemoryMb: extra,
    inMs: Math.round(inMs),
    outMs: Math.round(outMs),
  });
  close();
  await stop("SIGTERM");
  await rm(dataDir, { recursive: true });
  if (extra.inAndOut > LIMIT_MB) process.exitCode = 1;
}

function* chunks(): Generator<Buffer> {
  for (let sent = 0; sent < SIZE; sent += CHUNK.length) yield CHUNK;
}

await localCloudStream();
