import { appendFile, cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { S3Client } from "@aws-sdk/client-s3";
import { SchedulerClient } from "@aws-sdk/client-scheduler";
import { SQSClient } from "@aws-sdk/client-sqs";
import { startCloud } from "./server.ts";

export const credentials = { accessKeyId: "test-key", secretAccessKey: "test-secret-0123456789" };
export const region = "us-east-1";

/** Clients as the product makes them, for a cloud at `endpoint`. */
export function connect(endpoint: string) {
  const config = { endpoint, region, credentials, maxAttempts: 1 };
  const sqs = new SQSClient(config);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const scheduler = new SchedulerClient(config);
  return {
    sqs,
    s3,
    scheduler,
    close: () => {
      sqs.destroy();
      s3.destroy();
      scheduler.destroy();
    },
  };
}

export type CloudClients = ReturnType<typeof connect>;

/** A cloud in this process with its own directory, whose clock can be put forward. It may stand still otherwise. */
export async function startTestCloud(clock: "running" | "standing" = "running") {
  let dataDir = await mkdtemp(join(tmpdir(), "cloud-"));
  const startedAt = Date.now();
  let ahead = 0;
  const now = () => (clock === "running" ? Date.now() : startedAt) + ahead;
  const start = () => startCloud({ dataDir, credentials, region, now });
  let cloud = await start();
  let clients = connect(cloud.endpoint);
  /** Clients whose clock differs by more than 15 minutes are refused. */
  const setClock = () => {
    for (const { config } of [clients.sqs, clients.s3, clients.scheduler]) config.systemClockOffset = ahead;
  };
  const startAgain = async () => {
    cloud = await start();
    clients = connect(cloud.endpoint);
    setClock();
  };
  return {
    get dataDir() {
      return dataDir;
    },
    get endpoint() {
      return cloud.endpoint;
    },
    get sqs() {
      return clients.sqs;
    },
    get s3() {
      return clients.s3;
    },
    get scheduler() {
      return clients.scheduler;
    },
    advance(ms: number) {
      ahead += ms;
      setClock();
    },
    async restart() {
      clients.close();
      await cloud.dispose();
      await startAgain();
    },
    /** Goes on with what is on disk at this moment, and a write that was cut short, as after a kill. */
    async crash() {
      clients.close();
      const left = await copyAsLeft(dataDir);
      await cloud.dispose();
      await rm(dataDir, { recursive: true, force: true });
      dataDir = left;
      await startAgain();
    },
    async dispose() {
      clients.close();
      await cloud.dispose();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function copyAsLeft(dataDir: string): Promise<string> {
  const left = await mkdtemp(join(tmpdir(), "cloud-"));
  await cp(dataDir, left, { recursive: true, filter: (path) => basename(path) !== "lock" });
  const journals = (await readdir(left)).filter((name) => name.startsWith("journal-")).toSorted();
  await appendFile(join(left, journals.at(-1) ?? ""), "GLC1 and no more of the frame");
  return left;
}

export type TestCloud = Awaited<ReturnType<typeof startTestCloud>>;
