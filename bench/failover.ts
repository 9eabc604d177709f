import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../local/stack.ts";
import type { Stack } from "../local/stack.ts";
import { linkFleet } from "../tests/support/fleet.ts";
import { holders } from "../tests/support/holder.ts";
import { percentile } from "./support/percentile.ts";
import { report } from "./support/report.ts";

/** `FAILOVER_DEVICES=50 FAILOVER_ROUNDS=2 npm run bench -- failover` for less than usual. */
const DEVICES = Number(process.env["FAILOVER_DEVICES"] ?? 200);
const ROUNDS = Number(process.env["FAILOVER_ROUNDS"] ?? 5);
const LOOK_EVERY_MS = 200;
const SETTLE_MS = 300_000;
const FIRST = "socket-host-1";

type Seen = { phone: string; connectionsNow: number; connections: { from: number; until: number | null }[] };

/**
 * How long devices are without a connection, as the simulated WhatsApp sees it, when their host is frozen for good and
 * another one takes over, when it is told to stop and hands over, and when it is killed and started again on the same
 * machine; and how long a cold start takes. Logins keep to the usual budget.
 */
async function failover(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-bench-"));
  const figures: Record<string, unknown> = { devices: DEVICES };
  try {
    await withStack(dataDir, 2, async (stack) => {
      await linkFleet(stack, { devices: DEVICES, friends: 1, groups: 0 });
      figures["takenOverByAnotherHost"] = await rounds(stack, 2, async (of) => {
        stack.kill(FIRST, "SIGSTOP");
        const ms = await reconnected(stack, await of());
        stack.kill(FIRST, "SIGKILL");
        return ms;
      });
      figures["handedOver"] = await rounds(stack, 2, async (of) => {
        const devices = await of();
        stack.kill(FIRST, "SIGTERM");
        await reconnected(stack, devices);
        return (await seen(stack)).filter(({ phone }) => devices.includes(phone)).map(lastGapMs);
      });
    });
    const begin = Date.now();
    await withStack(dataDir, 1, async (stack) => {
      const productReadyMs = Date.now() - begin;
      await allConnected(stack, 1);
      figures["coldStart"] = { productReadyMs, allConnectedMs: Date.now() - begin };
      figures["killedAndStartedAgain"] = await rounds(stack, 1, async (of) => {
        const devices = await of();
        stack.kill(FIRST, "SIGKILL");
        return await reconnected(stack, devices);
      });
    });
    await report("failover", figures);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function withStack(dataDir: string, hosts: number, work: (stack: Stack) => Promise<void>): Promise<void> {
  const stack = await startStack({
    dataDir,
    simulator: true,
    port: 0,
    hosts,
    environment: { RATE_LIMIT_PER_MINUTE: "0" },
  });
  try {
    await work(stack);
  } finally {
    await stack.dispose();
  }
}

/** `once` gets what lists the phones of the devices that the first host has, and answers a duration for each of them. */
async function rounds(stack: Stack, hosts: number, once: (of: () => Promise<string[]>) => Promise<number[]>) {
  const ms: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await allConnected(stack, hosts);
    ms.push(...(await once(() => heldByFirst(stack))));
    console.log(`round ${round + 1}: ${Math.round(percentile(ms, 0.5))} / ${Math.round(percentile(ms, 0.99))} ms`);
  }
  const [p50Ms, p99Ms] = [percentile(ms, 0.5), percentile(ms, 0.99)].map(Math.round);
  return { samples: ms.length, firstMs: Math.round(Math.min(...ms)), p50Ms, p99Ms };
}

/** Milliseconds from now until each of these has a connection that began after now. */
async function reconnected(stack: Stack, phones: readonly string[]): Promise<number[]> {
  const since = Date.now();
  const isNew = ({ connections }: Seen) => (connections.at(-1)?.from ?? 0) > since;
  const back = await until(async () => {
    const fleet = (await seen(stack)).filter(({ phone }) => phones.includes(phone));
    return fleet.every(isNew) && fleet;
  });
  return back.map(({ connections }) => (connections.find(({ from }) => from > since)?.from ?? 0) - since);
}

const lastGapMs = ({ connections }: Seen) =>
  (connections.at(-1)?.from ?? 0) - (connections.at(-2)?.until ?? connections.at(-1)?.from ?? 0);

/** Every device is connected, and each host runs and has some of them. */
async function allConnected(stack: Stack, hosts: number): Promise<void> {
  await until(async () => {
    if (stack.processes().filter(({ name }) => name.startsWith("socket-host-")).length !== hosts) return false;
    const held = await holders(stack, ids());
    if (!held.every(Boolean) || new Set(held).size !== hosts) return false;
    return (await seen(stack)).every((device) => device.connectionsNow === 1);
  });
}

const ids = () => Array.from({ length: DEVICES }, (_, n) => `fleet-${n}`);

async function heldByFirst(stack: Stack): Promise<string[]> {
  const held = await holders(stack, ids());
  return held.flatMap((host, n) => (host?.endsWith(FIRST) ? `62811${String(n).padStart(8, "0")}` : []));
}

async function seen(stack: Stack): Promise<Seen[]> {
  const stats = (await (await fetch(`${stack.simulatorUrl}/stats`)).json()) as { devices: Seen[] };
  return stats.devices;
}

async function until<T>(probe: () => Promise<T | false>): Promise<T> {
  for (const deadline = Date.now() + SETTLE_MS; ;) {
    const value = await probe();
    if (value !== false) return value;
    if (Date.now() > deadline) throw new Error(`not within ${SETTLE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

await failover();
process.exit();
