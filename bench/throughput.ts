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
import { Gateway, Phone } from "../tests/support/gateway.ts";
import { startHttpProxy } from "../tests/support/http-proxy.ts";
import { countObjects } from "./support/count-objects.ts";
import { cpuMs } from "./support/process-usage.ts";
import { percentile } from "./support/percentile.ts";
import type { RawAccount } from "./support/raw-baileys.ts";
import { startRawFleet } from "./support/raw-process.ts";
import { report } from "./support/report.ts";

/** `THROUGHPUT_DEVICES=10 THROUGHPUT_EACH=20 npm run bench -- throughput` for less than usual. */
const DEVICES = Number(process.env["THROUGHPUT_DEVICES"] ?? 50);
/** Messages of each device in each round. */
const EACH = Number(process.env["THROUGHPUT_EACH"] ?? 40);
const ROUNDS = 3;
const S3_DELAY_MS = 50;
/** The local provision's name of it. */
const STATE_BUCKET = "whatsapp-state";
const PATIENCE_MS = 300_000;
/** When each was back is told by the simulator, which is better not asked all the time. */
const LOOK_EVERY_MS = 500;

type Part = { pid: number; name: string };

/**
 * What goes through many devices at once, beside as many accounts on Baileys alone (keys in memory, one process) on the
 * same simulator, in turns; and how long all of them take to be connected again. Also the processor time of each part,
 * which says more than the clock on a machine that all parts share. Linux only: it reads /proc.
 */
async function throughput(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-bench-"));
  const raw = startRawFleet();
  const figures: Record<string, unknown> = { devices: DEVICES, messagesEach: EACH };
  const tell = (name: string, figure: unknown) => {
    figures[name] = figure;
    console.log(name, JSON.stringify(figure));
  };
  const rawPhones = numbers(DEVICES).map((n) => `62812${String(n).padStart(8, "0")}`);
  const options = { dataDir, simulator: true, environment: FLEET_ENVIRONMENT };
  try {
    let stack = await startStack(options);
    let fleet: Fleet;
    try {
      for (const phone of rawPhones) await Phone.create(stack, phone);
      fleet = await linkFleet(stack, { devices: DEVICES, friends: DEVICES, groups: 0 });
      await raw.tell({ do: "link", simulator: await simulatorOf(stack), phones: rawPhones });
      await sends(fleet, raw, 1); // every contact has a session from here on
      tell("sends", await sends(fleet, raw, EACH));
      for (const friend of fleet.friends) await friend.settings({ autoDelivered: false });
      tell("sendsToPhonesThatConfirmNothing", await sends(fleet, raw, EACH));
      tell("receives", await receives(fleet, raw, rawPhones));
    } finally {
      await stack.dispose();
    }
    const proxies: { close: () => Promise<void> }[] = [];
    stack = await startStack({
      ...options,
      hostEnvironment: async (_, environment) => {
        const proxy = await startHttpProxy(environment["AWS_ENDPOINT_URL_S3"] ?? "");
        proxy.disturb({ delayMs: S3_DELAY_MS });
        proxies.push(proxy);
        return { ...environment, AWS_ENDPOINT_URL_S3: proxy.url };
      },
    });
    try {
      const slow = { ...fleet, stack, gateway: new Gateway(stack) };
      await raw.tell({ do: "log in", simulator: await simulatorOf(stack), accounts: await raw.leave() });
      await allBack(stack, 0);
      tell(`sendsWithS3At${S3_DELAY_MS}ms`, await sends(slow, raw, EACH));
    } finally {
      await stack.dispose();
      for (const proxy of proxies) await proxy.close();
    }
    stack = await startStack(options);
    try {
      await allBack(stack, 0);
      tell("restores", await restores(stack, await raw.leave()));
    } finally {
      await stack.dispose();
    }
    await report("throughput", figures);
  } finally {
    raw.end();
    await rm(dataDir, { recursive: true, force: true });
  }
}

type Raw = ReturnType<typeof startRawFleet>;

/** Each device to its own contact, one message after the other; `count` is 1 to make the sessions. */
async function sends(fleet: Fleet, raw: Raw, count: number) {
  const contacts = fleet.friends.map(({ number }) => number);
  const gateway = await inRounds(fleet.stack, count, partsOf(fleet.stack), async () => {
    const ms: number[] = [];
    const sendAll = fleet.devices.map(async ({ deviceId }, at) => {
      for (let n = 0; n < count; n++) {
        const startedAt = performance.now();
        const answer = await fleet.gateway.send(deviceId, contacts[at] ?? "", `message ${n}`);
        if (answer.status !== 200) throw new Error(`not sent: ${JSON.stringify(answer.body)}`);
        ms.push(performance.now() - startedAt);
      }
    });
    await Promise.all(sendAll);
    return ms;
  });
  const alone = await inRounds(fleet.stack, count, [{ name: "raw", pid: raw.pid }, ...simulatorIn(fleet.stack)], () =>
    raw.tell({ do: "send", contacts, count, atOnce: 1 }).then(() => []),
  );
  return { gateway, baileysAlone: alone, ratioOfPerSecond: round(gateway.perSecond / alone.perSecond) };
}

/** Each contact to its device, all at once. */
async function receives(fleet: Fleet, raw: Raw, rawPhones: readonly string[]) {
  const { stack, friends, devices } = fleet;
  const writeAll = (to: (at: number) => string) =>
    Promise.all(
      friends.map(async (friend, at) => {
        for (let n = 0; n < EACH; n++) await friend.text(to(at), `letter ${n}`);
      }),
    );
  const connection = await mysql.createConnection(stack.databaseUrl);
  const count = async () => {
    const [rows] = await connection.query<RowDataPacket[]>(
      "SELECT COUNT(*) AS count FROM events WHERE type = 'message.received'",
    );
    return Number(rows[0]?.["count"]);
  };
  try {
    const gateway = await inRounds(stack, EACH, partsOf(stack), async () => {
      const wanted = (await count()) + DEVICES * EACH;
      await writeAll((at) => devices[at]?.owner.number ?? "");
      await eventually("all is in the event log", PATIENCE_MS, async () => (await count()) >= wanted);
      return [];
    });
    let wanted = 0;
    const alone = await inRounds(stack, EACH, [{ name: "raw", pid: raw.pid }, ...simulatorIn(stack)], async () => {
      wanted += DEVICES * EACH;
      await writeAll((at) => rawPhones[at] ?? "");
      await raw.tell({ do: "receive", count: wanted });
      return [];
    });
    return { gateway, baileysAlone: alone, ratioOfPerSecond: round(gateway.perSecond / alone.perSecond) };
  } finally {
    await connection.end();
  }
}

/**
 * How long it takes until all accounts are connected: of Baileys alone in a new process, from its start; of the gateway after
 * its host was killed, which has to be noticed first. In turns; the middle one of each is told.
 */
async function restores(stack: Stack, accounts: RawAccount[]) {
  const simulator = await simulatorOf(stack);
  const rounds: Record<"startMs" | "aloneMs" | "firstMs" | "allMs", number>[] = [];
  for (let n = 0; n < ROUNDS; n++) {
    const startedAt = performance.now();
    const fresh = startRawFleet();
    await fresh.tell({ do: "receive", count: 0 }); // answered as soon as it runs
    const startMs = performance.now() - startedAt;
    await fresh.tell({ do: "log in", simulator, accounts });
    const aloneMs = performance.now() - startedAt;
    accounts = await fresh.leave();
    fresh.end();
    const since = Date.now();
    stack.kill("socket-host-1", "SIGKILL");
    const afterKill = await allBack(stack, since);
    rounds.push({ startMs, aloneMs, firstMs: Math.min(...afterKill), allMs: Math.max(...afterKill) });
  }
  const middle = (name: keyof (typeof rounds)[number]) =>
    round(
      percentile(
        rounds.map((one) => one[name]),
        0.5,
      ),
    );
  const baileysAlone = { startMs: middle("startMs"), allMs: middle("aloneMs") };
  const gateway = { firstMs: middle("firstMs"), allMs: middle("allMs") };
  return { gateway, baileysAlone, ratio: round(gateway.allMs / baileysAlone.allMs) };
}

/** @returns for each device how long after `since` it was connected */
async function allBack(stack: Stack, since: number): Promise<number[]> {
  type Stats = { devices: { phone: string; connections: { from: number; until: number | null }[] }[] };
  return await eventually("all devices are connected", PATIENCE_MS, async () => {
    const { devices } = (await (await fetch(`${stack.simulatorUrl}/stats`)).json()) as Stats;
    const ours = devices.filter(({ phone }) => phone.startsWith("62811"));
    const from = ours.flatMap(({ connections }) => connections.findLast((one) => one.until === null)?.from ?? []);
    if (from.length === DEVICES && from.every((at) => at > since)) return from.map((at) => at - since);
    return await new Promise<undefined>((resolve) => setTimeout(resolve, LOOK_EVERY_MS, undefined));
  });
}

/** Messages per second of the best round, and what each part of the product spent on a message over all rounds. */
async function inRounds(stack: Stack, count: number, parts: readonly Part[], once: () => Promise<number[]>) {
  const before = await usage(stack, parts);
  const latencies: number[] = [];
  let bestMs = Number.POSITIVE_INFINITY;
  const rounds = count === 1 ? 1 : ROUNDS;
  for (let n = 0; n < rounds; n++) {
    const startedAt = performance.now();
    latencies.push(...(await once()));
    bestMs = Math.min(bestMs, performance.now() - startedAt);
  }
  const after = await usage(stack, parts);
  const messages = DEVICES * count * rounds;
  const each = Object.keys(after).map((name) => [name, round(((after[name] ?? 0) - (before[name] ?? 0)) / messages)]);
  return {
    perSecond: round((DEVICES * count * 1000) / bestMs),
    ...(latencies.length && { p50Ms: round(percentile(latencies, 0.5)), p99Ms: round(percentile(latencies, 0.99)) }),
    perMessage: Object.fromEntries(each) as Record<string, number>,
  };
}

/** Processor time of each part in milliseconds, the statements of the database, and the appends of all device states. */
async function usage(stack: Stack, parts: readonly Part[]): Promise<Record<string, number>> {
  const used: Record<string, number> = {};
  for (const { name, pid } of parts) used[`${name}CpuMs`] = await cpuMs(pid);
  const connection = await mysql.createConnection(stack.databaseUrl);
  try {
    const [rows] = await connection.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Questions'");
    used["statements"] = Number(rows[0]?.["Value"]);
  } finally {
    await connection.end();
  }
  used["appends"] = await countObjects(stack.aws, STATE_BUCKET, "log/");
  return used;
}

const partsOf = (stack: Stack): Part[] => stack.processes();
const simulatorIn = (stack: Stack) => partsOf(stack).filter(({ name }) => name === "simulator");

async function simulatorOf(stack: Stack) {
  const trust = (await (await fetch(`${stack.simulatorUrl}/trust`)).json()) as { wsUrl: string; rootPublicKey: string };
  return { url: `${stack.simulatorUrl}`, ...trust };
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
const round = (value: number) => Math.round(value * 100) / 100;

await throughput();
process.exit();
