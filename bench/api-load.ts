import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs";
import { startStack } from "../local/stack.ts";
import type { Stack } from "../local/stack.ts";
import { FLEET_ENVIRONMENT, linkFleet } from "../tests/support/fleet.ts";
import type { Fleet } from "../tests/support/fleet.ts";
import { inParallel } from "./support/in-parallel.ts";
import { percentile } from "./support/percentile.ts";
import { cpuMs } from "./support/process-usage.ts";
import { report } from "./support/report.ts";

const DEVICES = 10;
const READS = 2_000;
/** Fewer than may wait for their devices, as the host is stopped meanwhile. */
const ENQUEUED = 1_000;
const SENDS = 300;
const AT_ONCE = 16;
const BASE = "/api/whatsapp-multi-device";

type Call = { method: string; path: string; body?: object; headers?: Record<string, string>; expect: number };

/**
 * Requests per second of the API and its processor time for one, beside a bare Hono route and a bare `SendMessage` in a
 * process of their own, in the same run; and how long a send takes to its answer when so many wait at once. Linux only.
 */
async function apiLoad(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-bench-"));
  const stack = await startStack({ dataDir, simulator: true, environment: FLEET_ENVIRONMENT });
  const bare = await startBare(stack);
  try {
    const fleet = await linkFleet(stack, { devices: DEVICES, friends: DEVICES, groups: 0 });
    const api = { pid: pidOf(stack, "api"), call: (call: Call) => http(stack.apiUrl, stack.token, call) };
    const status = (n: number): Call => ({ method: "GET", path: `${BASE}/devices/${idOf(n)}/status`, expect: 200 });
    const reads = {
      gateway: await perSecond(api, READS, status),
      bareHono: await perSecond(bare, READS, () => ({ method: "GET", path: "/", expect: 200 })),
    };
    const sends = { "1": await latency(fleet, 1), "10": await latency(fleet, 10), "50": await latency(fleet, 50) };
    // What is queued must not be worked off on the same two cores while it is counted.
    stack.kill("socket-host-1", "SIGSTOP");
    const body = (n: number) => ({ to: fleet.friends[n % DEVICES]?.number, message: "halo" });
    const enqueue = (n: number): Call => ({ ...sendOf(n, body(n)), headers: { prefer: "respond-async" }, expect: 202 });
    const enqueues = {
      gateway: await perSecond(api, ENQUEUED, enqueue),
      bareSendMessage: await perSecond(bare, ENQUEUED, (n) => ({ ...sendOf(n, body(n)), path: "/", expect: 202 })),
    };
    stack.kill("socket-host-1", "SIGKILL");
    await report("api-load", { atOnce: AT_ONCE, devices: DEVICES, reads, enqueues, syncSendsByAtOnce: sends });
  } finally {
    bare.close();
    await stack.dispose();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const idOf = (n: number) => `fleet-${n % DEVICES}`;
const sendOf = (n: number, body: object) => ({ method: "POST", path: `${BASE}/devices/${idOf(n)}/send-message`, body });

async function startBare({ aws }: Stack) {
  const { endpoint, region, ...credentials } = aws;
  const sqs = new SQSClient({ endpoint, region, credentials });
  const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: "bare" }));
  sqs.destroy();
  const child = fork(new URL("./support/bare-api.ts", import.meta.url), {
    execArgv: ["--import", import.meta.resolve("tsx")],
    env: {
      ...process.env,
      AWS_ENDPOINT_URL_SQS: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: aws.accessKeyId,
      AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
      QUEUE_URL: QueueUrl,
    },
  });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  const call = (one: Call) => http(`http://127.0.0.1:${port}`, "", one);
  return { pid: child.pid ?? 0, call, close: () => child.kill() };
}

/** After a tenth of them to warm up. */
async function perSecond(
  { pid, call }: { pid: number; call: (call: Call) => Promise<void> },
  count: number,
  callOf: (n: number) => Call,
) {
  await inParallel(count / 10, AT_ONCE, (n) => call(callOf(n)));
  const [cpuBefore, startedAt] = [await cpuMs(pid), performance.now()];
  await inParallel(count, AT_ONCE, (n) => call(callOf(n)));
  const seconds = (performance.now() - startedAt) / 1000;
  return { perSecond: Math.round(count / seconds), cpuMsEach: round(((await cpuMs(pid)) - cpuBefore) / count) };
}

async function latency(fleet: Fleet, atOnce: number) {
  const { stack, friends } = fleet;
  const ms: number[] = [];
  const send = async (n: number) => {
    const startedAt = performance.now();
    const body = { to: friends[n % DEVICES]?.number, message: `message ${n}` };
    await http(stack.apiUrl, stack.token, { ...sendOf(n, body), expect: 200 });
    ms.push(performance.now() - startedAt);
  };
  await inParallel(DEVICES * 2, DEVICES, send);
  ms.length = 0;
  const startedAt = performance.now();
  await inParallel(SENDS, atOnce, send);
  const seconds = (performance.now() - startedAt) / 1000;
  const [p50Ms, p99Ms] = [0.5, 0.99].map((share) => round(percentile(ms, share)));
  return { p50Ms, p99Ms, perSecond: Math.round(SENDS / seconds) };
}

const agent = new Agent({ keepAlive: true });

async function http(origin: string, token: string, { method, path, body, headers, expect }: Call): Promise<void> {
  const text = body && JSON.stringify(body);
  const asked = request(origin + path, {
    agent,
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(text !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(text) }),
      ...headers,
    },
  });
  asked.end(text);
  const answer = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    asked.on("error", reject);
    asked.on("response", (response) => {
      let received = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (received += chunk));
      response.on("end", () => resolve({ status: response.statusCode, text: received }));
    });
  });
  if (answer.status !== expect) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
}

function pidOf(stack: Stack, name: string): number {
  const found = stack.processes().find((one) => one.name === name);
  if (!found) throw new Error(`there is no process ${name}`);
  return found.pid;
}

const round = (value: number) => Math.round(value * 100) / 100;

await apiLoad();
process.exit();
