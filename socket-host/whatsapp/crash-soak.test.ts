import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { heldStorage } from "../device-state/testing/held-storage.ts";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { TestDevice } from "./testing/test-device.ts";
import { startTestSimulator } from "./testing/test-simulator.ts";
import type { TestSimulator } from "./testing/test-simulator.ts";
import { until } from "./testing/until.ts";

/** About a second each: `CRASHES=200 npx vitest run socket-host/whatsapp/crash-soak` for a long run. */
const CRASHES = Number(process.env["CRASHES"] ?? 5);
const LATENCY_MS = 30;
const OWN = "15551000001";
const CONTACTS = ["15552000001", "15552000002", "15552000003"] as const;

let simulator: TestSimulator;
beforeAll(async () => {
  simulator = await startTestSimulator();
  for (const phone of [OWN, ...CONTACTS]) await simulator.addPhone(phone);
});
afterAll(() => simulator.end());

test("over crashes at random moments nothing is lost, doubled in the journal, or unreadable, in either direction", async () => {
  const bucket = new MemoryStorage();
  const commands = new Map<string, { to: string; text: string }>();
  const accepted = new Set<string>();
  const arrived = new Map<string, string | undefined>();
  const written: string[] = [];
  const lives: { device: TestDevice; way: ReturnType<typeof heldStorage> }[] = [];

  async function start(): Promise<TestDevice> {
    const way = heldStorage(bucket, LATENCY_MS);
    const device = await TestDevice.load(simulator.wsUrl, way.storage, lives.length + 1);
    lives.push({ device, way });
    await device.connect();
    return device;
  }
  /** What a login does: whatever has no result is sent again under its id, oldest first. */
  async function sendUnresolved(device: TestDevice): Promise<void> {
    for (const [id, { to, text }] of commands) {
      if (lives.at(-1)?.device !== device) return;
      if (!accepted.has(id)) await device.send(to, text, id).catch(() => undefined);
    }
  }
  /** Messages go both ways for a while; then the log stops somewhere and the process is gone. */
  async function liveAndDie(device: TestDevice): Promise<void> {
    const resending = sendUnresolved(device);
    const writing: Promise<unknown>[] = [];
    for (const end = Date.now() + 300 + Math.random() * 900; Date.now() < end; await sleep(Math.random() * 60)) {
      const number = commands.size + 1;
      const to = CONTACTS[number % 3] ?? OWN;
      const id = `OUT${number}`;
      commands.set(id, { to, text: `out ${number}` });
      device.send(to, `out ${number}`, id).catch(() => undefined);
      writing.push(simulator.write(to, OWN, `in ${number}`).then(() => written.push(`in ${number}`)));
    }
    lives.at(-1)?.way.hold(Math.random() < 0.5 ? "request" : "reply");
    await sleep(Math.random() * 25);
    device.crash();
    await Promise.all(writing);
    await note(device);
    resending.catch(() => undefined);
  }
  async function note(device: TestDevice): Promise<void> {
    for (const id of device.accepted) accepted.add(id);
    for (const phone of CONTACTS) for (const { id, text } of await simulator.inbox(phone)) arrived.set(id, text);
  }

  let device = await start();
  await simulator.scan(OWN, device.qr ?? "");
  await device.finishLinking();
  for (let crash = 0; crash < CRASHES; crash++) {
    await liveAndDie(device);
    device = await start();
  }
  await sendUnresolved(device);
  await until(() => [...commands.keys()].every((id) => accepted.has(id) || device.accepted.has(id)), 60_000);
  await until(async () => (await simulator.stats()).devices.every(({ queued }) => queued === 0), 60_000);
  await note(device);

  expect(new Map([...commands].map(([id, { text }]) => [id, text]))).toEqual(arrived);
  const journaled = device.texts();
  expect(written.filter((text) => !journaled.includes(text))).toEqual([]);
  expect(journaled).toHaveLength(written.length);
  const { undecryptable, retryReceipts } = await simulator.stats();
  expect({ undecryptable, ...retryReceipts }).toEqual({ undecryptable: 0, fromPhones: 0, fromDevices: 0 });
  expect(lives.reduce((torn, { device }) => torn + device.stats.torn, 0)).toBe(0);
  const redelivered = lives.reduce((sum, { device }) => sum + device.stats.redelivered, 0);
  process.stdout.write(
    `${CRASHES} crashes: ${commands.size} out, ${written.length} in, ${redelivered} from the journal\n`,
  );

  for (const { way } of lives) way.releaseAll();
  await Promise.all(lives.map(({ device }) => device.close()));
}, 600_000);
