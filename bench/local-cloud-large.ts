import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand } from "@aws-sdk/client-sqs";
import { connect } from "../local/cloud/test-cloud.ts";
import type { CloudClients } from "../local/cloud/test-cloud.ts";
import { startCloudProcess } from "../local/cloud/test-process.ts";
import { createQueue, fillCloud, MUCH } from "./support/fill-cloud.ts";
import { percentile } from "./support/percentile.ts";
import { cpuMs, memoryMb } from "./support/process-usage.ts";
import { report } from "./support/report.ts";

const RECEIVES = 500;
const LIMITS = { memoryMb: 300, startMs: 3_000, latencyRatio: 2 };

/**
 * The local cloud with a lot in it: memory, time to start, and what a receive takes, beside the same receives from an
 * empty cloud on the same machine, in turns. Fails when a limit is exceeded.
 */
async function localCloudLarge(): Promise<void> {
  const directories = { full: await mkdtemp(join(tmpdir(), "cloud-")), empty: await mkdtemp(join(tmpdir(), "cloud-")) };
  const empty = await start(directories.empty);
  let full = await start(directories.full);
  const { QueueUrl: emptyUrl = "" } = await createQueue(empty.clients);
  await fillCloud(full.clients, full.endpoint);
  const afterFilling = await memoryMb(full.pid);

  await full.stop();
  const startedAt = performance.now();
  full = await start(directories.full);
  const startMs = performance.now() - startedAt;
  const startCpuMs = await cpuMs(full.pid);
  const afterStart = await memoryMb(full.pid);
  const fullUrl = new URL(emptyUrl);
  fullUrl.port = new URL(full.endpoint).port;

  const latencies = { full: [] as number[], empty: [] as number[] };
  for (let n = 0; n < RECEIVES; n++) {
    await sendOne(empty.clients, emptyUrl);
    latencies.empty.push(await receiveOne(empty.clients, emptyUrl));
    await sendOne(full.clients, fullUrl.href);
    latencies.full.push(await receiveOne(full.clients, fullUrl.href));
  }
  const { peak } = await memoryMb(full.pid);
  const side = (samples: number[]) => ({ p50Ms: percentile(samples, 0.5), p99Ms: percentile(samples, 0.99) });
  const receive = { full: side(latencies.full), empty: side(latencies.empty) };
  const latencyRatio = receive.full.p50Ms / receive.empty.p50Ms;
  const memory = Math.max(afterFilling.peak, peak);
  await report("local-cloud-large", {
    holds: MUCH,
    limits: LIMITS,
    startMs: Math.round(startMs),
    startCpuMs,
    memoryMb: { whileFilling: afterFilling, afterStart: afterStart.now, afterReceives: peak },
    receive: { ...receive, p50Ratio: latencyRatio },
  });
  await full.stop();
  await empty.stop();
  for (const directory of Object.values(directories)) await rm(directory, { recursive: true });
  if (memory > LIMITS.memoryMb || startMs > LIMITS.startMs || latencyRatio > LIMITS.latencyRatio) process.exitCode = 1;
}

async function start(dataDir: string) {
  const { child, endpoint, errors, stop } = await startCloudProcess(dataDir);
  if (endpoint === undefined || child.pid === undefined) throw new Error(`the cloud did not start: ${errors()}`);
  const clients = connect(endpoint);
  return {
    endpoint,
    pid: child.pid,
    clients,
    stop: () => {
      clients.close();
      return stop("SIGTERM");
    },
  };
}

function sendOne({ sqs }: CloudClients, QueueUrl: string) {
  const ids = { MessageGroupId: `one-${randomUUID()}` };
  return sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: randomUUID(), ...ids }));
}

/** Milliseconds for one receive; the deletion is not in it. */
async function receiveOne({ sqs }: CloudClients, QueueUrl: string): Promise<number> {
  const before = performance.now();
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
  const took = performance.now() - before;
  const ReceiptHandle = Messages?.[0]?.ReceiptHandle;
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return took;
}

await localCloudLarge();
