import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WhatsAppConfig } from "../../shared/config.ts";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { openSocket } from "./socket.ts";
import type { SocketEvents } from "./socket.ts";
import { TestDevice } from "./testing/test-device.ts";
import { startTestSimulator } from "./testing/test-simulator.ts";
import type { TestSimulator } from "./testing/test-simulator.ts";
import { until } from "./testing/until.ts";

const RECONNECTS = 100;
const PHONE = "6281100000401";
/** Per reconnect. One that is kept whole holds several hundred KiB. */
const MAX_GROWTH_BYTES = 10_000;

let simulator: TestSimulator;
beforeAll(async () => {
  simulator = await startTestSimulator();
});
afterAll(() => simulator.end());

test(
  "100 connections that end in every way leave no socket, no timer and no memory behind",
  { timeout: 180_000 },
  async () => {
    await simulator.addPhone(PHONE);
    const device = await TestDevice.load(simulator.wsUrl, new MemoryStorage(), 1);
    await device.connect();
    await simulator.scan(PHONE, device.qr ?? "");
    await device.finishLinking();
    device.crash();
    const config: WhatsAppConfig = {
      webSocketUrl: simulator.wsUrl,
      trustRoot: undefined,
      mediaOrigin: undefined,
      connectTimeoutMs: 20_000,
      queryTimeoutMs: 120_000,
      keepAliveIntervalMs: 30_000,
      restoreStaggerMs: 0,
      loginsPerSecond: 1,
      printQr: false,
    };

    async function connectOnce(n: number): Promise<void> {
      let isOpen = false;
      let isClosed = false;
      const events = {
        onOpen: () => (isOpen = true),
        onClose: () => (isClosed = true),
        findMessage: () => Promise.resolve(undefined),
        mediaPart: () => Promise.reject(new Error("no file is sent here")),
      };
      const listening = new Proxy(events, {
        get: (target, name) => Reflect.get(target, name) ?? (() => undefined),
      }) as unknown as SocketEvents;
      const socket = openSocket(device.state, config, listening);
      await until(() => isOpen);
      // Nobody answers this any more.
      const asked = socket.isOnWhatsApp("6281100000402").catch(() => undefined);
      if (n % 2) {
        await simulator.fault({ match: { phone: PHONE }, fault: "drop", count: 1 });
        await until(() => isClosed);
      }
      socket.close();
      await asked;
    }

    await inTurns(20, connectOnce);
    const before = await quietHeapBytes();
    await inTurns(RECONNECTS, connectOnce);
    const growth = ((await quietHeapBytes()) - before) / RECONNECTS;
    expect(growth).toBeLessThan(MAX_GROWTH_BYTES);
    await device.state.close();
  },
);

async function inTurns(times: number, work: (n: number) => Promise<void>): Promise<void> {
  for (let n = 0; n < times; n++) await work(n);
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** The heap once nothing is open and nothing waits; fails while something does. */
async function quietHeapBytes(): Promise<number> {
  const isLeft = (kind: string) => /socket|tcp|timeout/i.test(kind);
  await until(() => !process.getActiveResourcesInfo().some(isLeft), 60_000);
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
