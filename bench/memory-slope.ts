import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../local/stack.ts";
import type { Stack } from "../local/stack.ts";
import { eventually } from "../tests/support/eventually.ts";
import { FLEET_ENVIRONMENT, linkFleet } from "../tests/support/fleet.ts";
import type { Fleet } from "../tests/support/fleet.ts";
import { report } from "./support/report.ts";

/** `SLOPE_DEVICES=5 SLOPE_ROUNDS=4 SLOPE_MESSAGES=200 npm run bench -- memory-slope` for less than usual. */
const DEVICES = Number(process.env["SLOPE_DEVICES"] ?? 50);
const ROUNDS = Number(process.env["SLOPE_ROUNDS"] ?? 40);
/** In each round, half of them in each direction. */
const MESSAGES = Number(process.env["SLOPE_MESSAGES"] ?? 1_250);
const PATIENCE_MS = 300_000;
const HOST = "socket-host-1";

type Memory = { heapMiB: number; externalMiB: number; residentMiB: number };

/**
 * Memory of a socket host after its garbage was collected, before and after rounds of messages in both directions and a
 * cut of every connection: 2,000 reconnects and 50,000 messages if not told otherwise.
 */
async function memorySlope(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-bench-"));
  const file = join(dataDir, "memory.json");
  const preload = new URL("./support/memory-on-signal.mjs", import.meta.url).href;
  const stack = await startStack({
    dataDir,
    simulator: true,
    environment: FLEET_ENVIRONMENT,
    hostEnvironment: async (_, environment) => ({
      ...environment,
      NODE_OPTIONS: `--import=${preload}`,
      MEMORY_FILE: file,
    }),
  });
  try {
    const fleet = await linkFleet(stack, { devices: DEVICES, friends: DEVICES, groups: 0 });
    const seen: Memory[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      if (round > 0) {
        await exchange(fleet, round);
        await reconnect(fleet);
      }
      const memory = await memoryOf(stack, file);
      seen.push(memory);
      console.log(`round ${round}: ${JSON.stringify(memory)}`);
    }
    const [before, after] = [seen[0], seen.at(-1)];
    const settled = seen.slice(Math.floor(seen.length / 2)).map(({ heapMiB }) => heapMiB);
    await report("memory-slope", {
      devices: DEVICES,
      reconnects: DEVICES * ROUNDS,
      messages: MESSAGES * ROUNDS,
      before,
      afterEachQuarter: [1, 2, 3].map((quarter) => seen[Math.round((ROUNDS * quarter) / 4)]),
      after,
      heapKiBPerRoundOfTheSecondHalf: Math.round(slope(settled) * 1024),
    });
  } finally {
    await stack.dispose();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function exchange({ devices, friends, gateway }: Fleet, round: number): Promise<void> {
  const each = Math.ceil(MESSAGES / 2 / DEVICES);
  const exchangeWith = devices.map(async ({ deviceId, owner }, at) => {
    const friend = friends[at];
    if (!friend) throw new Error("every device has a friend");
    for (let n = 0; n < each; n++) {
      const answer = await gateway.send(deviceId, friend.number, `message ${round}.${n}`);
      if (answer.status !== 200 && answer.status !== 202) throw new Error(`not sent: ${JSON.stringify(answer.body)}`);
      await friend.text(owner, `answer ${round}.${n}`);
    }
  });
  await Promise.all(exchangeWith);
}

async function reconnect({ devices, gateway, stack }: Fleet): Promise<void> {
  const since = Date.now();
  for (const { owner } of devices) await owner.fault("drop");
  type Stats = { devices: { phone: string; connections: { from: number; until: number | null }[] }[] };
  await eventually("every device has a new connection", PATIENCE_MS, async () => {
    const stats = (await (await fetch(`${stack.simulatorUrl}/stats`)).json()) as Stats;
    const missing = devices.filter(({ owner }) => {
      const newest = stats.devices.find(({ phone }) => phone === owner.number)?.connections.at(-1);
      return !newest || newest.until !== null || newest.from <= since;
    });
    // They would wait longer each time, as after real trouble; a person who asks does not have to.
    for (const { deviceId } of missing) await gateway.call("POST", `/devices/${deviceId}/connect`);
    return missing.length === 0;
  });
  for (const { deviceId } of devices) await gateway.connected(deviceId, PATIENCE_MS);
}

async function memoryOf(stack: Stack, file: string): Promise<Memory> {
  await rm(file, { force: true });
  stack.kill(HOST, "SIGUSR2");
  const used = await eventually("the host has told of its memory", PATIENCE_MS, async () => {
    return JSON.parse(await readFile(file, "utf8")) as NodeJS.MemoryUsage;
  });
  const mib = (bytes: number) => Math.round((bytes / 2 ** 20) * 10) / 10;
  return { heapMiB: mib(used.heapUsed), externalMiB: mib(used.external), residentMiB: mib(used.rss) };
}

/** Of the line that fits best, per sample. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const covariance = values.reduce((sum, value, at) => sum + (at - middle) * (value - mean), 0);
  return covariance / values.reduce((sum, _, at) => sum + (at - middle) ** 2, 0);
}

await memorySlope();
process.exit();
