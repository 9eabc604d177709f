import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import type { RowDataPacket } from "mysql2/promise";
import { startStack } from "../local/stack.ts";
import type { Stack } from "../local/stack.ts";
import { eventually } from "../tests/support/eventually.ts";
import { FLEET_ENVIRONMENT, linkFleet } from "../tests/support/fleet.ts";
import type { Fleet } from "../tests/support/fleet.ts";
import { startHttpProxy } from "../tests/support/http-proxy.ts";
import type { HttpProxy } from "../tests/support/http-proxy.ts";
import { countObjects } from "./support/count-objects.ts";
import { cpuMs } from "./support/process-usage.ts";
import { startRawFleet } from "./support/raw-process.ts";
import { report } from "./support/report.ts";

/** `HOST_DEVICES=20 HOST_EACH=20 npm run bench -- host-throughput` for less than usual. */
const DEVICES = Number(process.env["HOST_DEVICES"] ?? 50);
/** Messages of each device in each round. */
const EACH = Number(process.env["HOST_EACH"] ?? 40);
const ROUNDS = Number(process.env["HOST_ROUNDS"] ?? 3);
/** So many of an account are on their way at once, on either side: what one answer of a FIFO queue holds. */
const AT_ONCE = 10;
const S3_DELAY_MS = 50;
/** The local provision's name of it. */
const STATE_BUCKET = "whatsapp-state";
const PATIENCE_MS = 300_000;
/** For a profile of the host, `--import=` a module that makes one with `node:inspector`: Node takes no `--cpu-prof` from here. */
const NODE_OPTIONS = process.env["HOST_NODE_OPTIONS"];

/**
 * What a socket host alone can do, from commands that lie in the queue to outcomes in the database, beside as many accounts
 * on Baileys alone (keys in memory, one process) on the same simulator, in turns. Commands are accepted while the host's
 * way to the queue is closed; the clock and the processor time count from when it is opened.
 */
async function hostThroughput(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-bench-"));
  const raw = startRawFleet();
  const ways: { queue?: HttpProxy; s3?: HttpProxy } = {};
  const rawPhones = Array.from({ length: DEVICES }, (_, n) => `62812${String(n).padStart(8, "0")}`);
  const stack = await startStack({
    dataDir,
    simulator: true,
    environment: FLEET_ENVIRONMENT,
    hostEnvironment: async (_, environment) => {
      ways.queue = await startHttpProxy(environment["AWS_ENDPOINT_URL_SQS"] ?? "");
      ways.s3 = await startHttpProxy(environment["AWS_ENDPOINT_URL_S3"] ?? "");
      return {
        ...environment,
        ...(NODE_OPTIONS && { NODE_OPTIONS }),
        AWS_ENDPOINT_URL_SQS: ways.queue.url,
        AWS_ENDPOINT_URL_S3: ways.s3.url,
      };
    },
  });
  try {
    const { queue, s3 } = ways;
    if (!queue || !s3) throw new Error("the host was started without its proxies");
    const trust = (await (await fetch(`${stack.simulatorUrl}/trust`)).json()) as {
      wsUrl: string;
      rootPublicKey: string;
    };
    for (const phone of rawPhones) await fetch(`${stack.simulatorUrl}/phones`, post({ phone }));
    const fleet = await linkFleet(stack, { devices: DEVICES, friends: DEVICES, groups: 0 });
    const contacts = fleet.friends.map(({ number }) => number);
    await raw.tell({ do: "link", simulator: { url: `${stack.simulatorUrl}`, ...trust }, phones: rawPhones });
    // Every contact has a session from here on, and both processes are warm.
    await viaHost(fleet, queue, EACH);
    await raw.tell({ do: "send", contacts, count: EACH, atOnce: AT_ONCE });

    const figures: Record<string, unknown> = { devices: DEVICES, messagesEach: EACH, atOnce: AT_ONCE };
    for (const [name, delayMs, isConfirmed] of [
      ["sends", 0, true],
      ["sendsToPhonesThatConfirmNothing", 0, false],
      [`sendsWithS3At${S3_DELAY_MS}ms`, S3_DELAY_MS, false],
    ] as const) {
      console.log(`measuring ${name}`);
      s3.disturb({ delayMs });
      for (const friend of fleet.friends) await friend.settings({ autoDelivered: isConfirmed });
      const hostRounds: Round[] = [];
      const rawRounds: Round[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        hostRounds.push(await viaHost(fleet, queue, EACH));
        rawRounds.push(await alone(raw, stack, contacts));
      }
      const [host, baileysAlone] = [sum(hostRounds), sum(rawRounds)];
      figures[name] = { host, baileysAlone, ratioOfPerSecond: round2(host.perSecond / baileysAlone.perSecond) };
      console.log(name, JSON.stringify(figures[name]));
    }
    await report("host-throughput", figures);
  } finally {
    await stack.dispose();
    await ways.queue?.close();
    await ways.s3?.close();
    raw.end();
    await rm(dataDir, { recursive: true, force: true });
  }
}

type Round = { messages: number; ms: number; used: Record<string, number> };

async function viaHost({ stack, gateway, devices, friends }: Fleet, queue: HttpProxy, count: number): Promise<Round> {
  const connection = await mysql.createConnection(stack.databaseUrl);
  const ask = async (sql: string): Promise<{ [column: string]: unknown }> =>
    (await connection.query<RowDataPacket[]>(sql))[0][0] ?? {};
  try {
    queue.disturb({ refusedShare: 1 });
    const accept = devices.map(async ({ deviceId }, at) => {
      for (let n = 0; n < count; n++) {
        const answer = await gateway.send(deviceId, friends[at]?.number ?? "", `message ${n}`, {
          prefer: "respond-async",
        });
        if (answer.status !== 202) throw new Error(`not accepted: ${JSON.stringify(answer.body)}`);
      }
    });
    await Promise.all(accept);
    const open = "kind = 'send-text' AND state IN ('queued', 'sending', 'unknown')";
    const waiting = await ask(`SELECT COUNT(*) AS messages, NOW(3) AS since FROM commands WHERE ${open}`);
    const before = await usage(stack, connection);
    queue.disturb({});
    await eventually("all is sent", PATIENCE_MS, async () => {
      return Number((await ask(`SELECT COUNT(*) AS count FROM commands WHERE ${open}`))["count"]) === 0;
    });
    const after = await usage(stack, connection);
    const [[times]] = await connection.query<RowDataPacket[]>(
      "SELECT TIMESTAMPDIFF(MICROSECOND, MIN(started_at), MAX(finished_at)) AS us FROM commands WHERE started_at >= ?",
      [waiting["since"]],
    );
    return { messages: Number(waiting["messages"]), ms: Number(times?.["us"]) / 1000, used: difference(before, after) };
  } finally {
    await connection.end();
  }
}

async function alone(raw: ReturnType<typeof startRawFleet>, stack: Stack, contacts: string[]): Promise<Round> {
  const cpu = async () => ({ rawCpuMs: await cpuMs(raw.pid), simulatorCpuMs: await cpuMs(pidOf(stack, "simulator")) });
  const before = await cpu();
  const ms = await raw.tell({ do: "send", contacts, count: EACH, atOnce: AT_ONCE });
  return { messages: DEVICES * EACH, ms, used: difference(before, await cpu()) };
}

/** Processor time of each part in milliseconds, the statements of the database, and the appends of all device states. */
async function usage(stack: Stack, connection: mysql.Connection): Promise<Record<string, number>> {
  const used: Record<string, number> = {};
  for (const { name, pid } of stack.processes()) used[`${name}CpuMs`] = await cpuMs(pid);
  const [rows] = await connection.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Questions'");
  used["statements"] = Number(rows[0]?.["Value"]);
  used["appends"] = await countObjects(stack.aws, STATE_BUCKET, "log/");
  return used;
}

function difference(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]));
}

/** Messages per second of the best round, and what was used for a message over all of them. */
function sum(rounds: readonly Round[]) {
  const messages = rounds.reduce((all, round) => all + round.messages, 0);
  const names = Object.keys(rounds[0]?.used ?? {});
  const each = names.map((name) => [
    name,
    round2(rounds.reduce((all, { used }) => all + (used[name] ?? 0), 0) / messages),
  ]);
  return {
    perSecond: round2(Math.max(...rounds.map((round) => (round.messages * 1000) / round.ms))),
    perMessage: Object.fromEntries(each) as Record<string, number>,
  };
}

function pidOf(stack: Stack, name: string): number {
  const found = stack.processes().find((one) => one.name === name);
  if (!found) throw new Error(`there is no ${name}`);
  return found.pid;
}

const post = (body: unknown) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const round2 = (value: number) => Math.round(value * 100) / 100;

await hostThroughput();
process.exit();
