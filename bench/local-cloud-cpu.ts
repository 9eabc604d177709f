import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { connect } from "../local/cloud/test-cloud.ts";
import { startCloudProcess } from "../local/cloud/test-process.ts";
import { inParallel } from "./support/in-parallel.ts";
import { cpuMs } from "./support/process-usage.ts";
import { report } from "./support/report.ts";

const CALLS = 3_000;
const AT_ONCE = 8;
const BODY = "x".repeat(1024);

/**
 * CPU time of the local cloud for one call, beside a plain `node:http` server that gives the body back, each as a process
 * of its own. The calls per second are those that the AWS SDK in this process makes, which is what limits them.
 */
async function localCloudCpu(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "cloud-"));
  const { child, endpoint = "", stop } = await startCloudProcess(dataDir);
  const { sqs, s3, close } = connect(endpoint);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: "bench" }));
  const Bucket = "bench";
  await s3.send(new CreateBucketCommand({ Bucket }));
  const echo = await startEcho();

  const receiveAndDelete = async () => {
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    const ReceiptHandle = Messages?.[0]?.ReceiptHandle;
    await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  };
  const put = (index: number) => s3.send(new PutObjectCommand({ Bucket, Key: `key-${index % 100}`, Body: BODY }));
  const get = async (index: number) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `key-${index % 100}` }));
    await Body?.transformToByteArray();
  };
  const cloudPid = child.pid ?? 0;
  const works = {
    httpEcho1Kb: { pid: echo.pid, work: echo.call },
    sendMessage1Kb: { pid: cloudPid, work: () => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: BODY })) },
    receiveAndDelete: { pid: cloudPid, work: receiveAndDelete },
    putObject1Kb: { pid: cloudPid, work: put },
    getObject1Kb: { pid: cloudPid, work: get },
  };
  const figures: Record<string, { serverCpuMsPerCall: number; callsPerSecond: number; timesEcho: number }> = {};
  let echoCpu = 0;
  for (const [name, { pid, work }] of Object.entries(works)) {
    await inParallel(CALLS / 10, AT_ONCE, work);
    // What was sent to warm up must not be received instead of what is sent to be measured: the counts are the same.
    const cpuBefore = await cpuMs(pid);
    const startedAt = performance.now();
    await inParallel(CALLS, AT_ONCE, work);
    const seconds = (performance.now() - startedAt) / 1000;
    const cpu = ((await cpuMs(pid)) - cpuBefore) / CALLS;
    if (name === "httpEcho1Kb") echoCpu = cpu;
    figures[name] = { serverCpuMsPerCall: cpu, callsPerSecond: Math.round(CALLS / seconds), timesEcho: cpu / echoCpu };
  }
  await report("local-cloud-cpu", {
    calls: CALLS,
    atOnce: AT_ONCE,
    note: "calls per second are limited by the SDK",
    figures,
  });
  echo.stop();
  close();
  await stop("SIGTERM");
  await rm(dataDir, { recursive: true });
}

async function startEcho() {
  const child = fork(fileURLToPath(new URL("support/http-echo.ts", import.meta.url)), [], {
    execArgv: ["--import", "tsx"],
  });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  const agent = new Agent({ keepAlive: true });
  return {
    pid: child.pid ?? 0,
    call: async () => {
      const asking = request({ host: "127.0.0.1", port, method: "POST", agent });
      asking.end(BODY);
      const [response] = await once(asking, "response");
      response.resume();
      await once(response, "end");
    },
    stop: () => {
      agent.destroy();
      child.disconnect();
    },
  };
}

await localCloudCpu();
