import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startCloud } from "../local/cloud/server.ts";
import { percentile } from "./support/percentile.ts";
import { report } from "./support/report.ts";

const SCHEDULES = 10_000;
const AT_ONCE = 32;
const GROUPS = 1_000;
const IDLE_MS = 10_000;
const PUNCTUAL = 10;

/**
 * What 10,000 one-time schedules cost while they wait, how long it takes when all of them are due at the same moment,
 * and how late a single one is. Client and cloud share a process here; creating is limited by the SDK.
 */
async function schedules(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "cloud-bench-"));
  const credentials = { accessKeyId: "bench", secretAccessKey: "bench-secret" };
  const region = "us-east-1";
  let ahead = 0;
  const cloud = await startCloud({ dataDir, credentials, region, now: () => Date.now() + ahead });
  const config = { endpoint: cloud.endpoint, region, credentials };
  const scheduler = new SchedulerClient(config);
  const sqs = new SQSClient(config);
  try {
    const Attributes = { FifoQueue: "true", ContentBasedDeduplication: "true" };
    await sqs.send(new CreateQueueCommand({ QueueName: "bench.fifo", Attributes }));
    const create = (name: string, due: number) => {
      const ScheduleExpression = `at(${new Date(due).toISOString().slice(0, 19)})`;
      return scheduler.send(
        new CreateScheduleCommand({
          Name: name,
          ScheduleExpression,
          ActionAfterCompletion: "DELETE",
          FlexibleTimeWindow: { Mode: "OFF" },
          Target: {
            Arn: "arn:aws:sqs:us-east-1:000000000000:bench.fifo",
            RoleArn: "arn:aws:iam::000000000000:role/bench",
            Input: JSON.stringify({ name, text: "x".repeat(300) }),
            SqsParameters: { MessageGroupId: `group-${name.length}-${Number(name.split("-")[1]) % GROUPS}` },
          },
        }),
      );
    };
    const status = async () => {
      const answer = await fetch(`${cloud.endpoint}/_status`);
      return (await answer.json()) as { schedules: { count: number }; queues: { depth: number }[] };
    };
    const emptyAfter = async (pollMs: number) => {
      while ((await status()).schedules.count > 0) await sleep(pollMs);
      return Date.now();
    };

    const lateMs: number[] = [];
    for (let index = 0; index < PUNCTUAL; index += 1) {
      const due = (Math.floor(Date.now() / 1000) + 1) * 1000;
      await create(`single-${index}`, due);
      await sleep(Math.max(0, due - Date.now() - 20));
      lateMs.push((await emptyAfter(0)) - due);
    }

    const due = Math.floor(Date.now() / 1000) * 1000 + 3_600_000;
    const creatingSince = performance.now();
    let next = 0;
    const creator = async () => {
      while (next < SCHEDULES) await create(`schedule-${next++}`, due);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, creator));
    const createdIn = performance.now() - creatingSince;

    const idleSince = process.cpuUsage();
    await sleep(IDLE_MS);
    const idle = process.cpuUsage(idleSince);

    const firingSince = performance.now();
    const firingCpu = process.cpuUsage();
    ahead = due - Date.now();
    await emptyAfter(20);
    const firedIn = performance.now() - firingSince;
    const { user, system } = process.cpuUsage(firingCpu);
    const { queues } = await status();
    await report("local-cloud-schedules", {
      schedules: SCHEDULES,
      lateMs: { p50: percentile(lateMs, 0.5), max: Math.max(...lateMs) },
      createdPerSecond: Math.round((SCHEDULES / createdIn) * 1000),
      cpuPercentWhileAllWait: Number((((idle.user + idle.system) / 1000 / IDLE_MS) * 100).toFixed(2)),
      allDueAtOnce: {
        ms: Math.round(firedIn),
        cpuMsEach: Number(((user + system) / 1000 / SCHEDULES).toFixed(3)),
        messages: queues.reduce((sum, { depth }) => sum + depth, 0) - PUNCTUAL,
      },
    });
  } finally {
    scheduler.destroy();
    sqs.destroy();
    await cloud.dispose();
    await rm(dataDir, { recursive: true, force: true });
  }
}

await schedules();
