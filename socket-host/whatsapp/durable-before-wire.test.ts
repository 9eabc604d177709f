import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { logObjects } from "../device-state/log-objects.ts";
import { decodeRecords } from "../device-state/records.ts";
import { heldStorage } from "../device-state/testing/held-storage.ts";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { PLACE, TestDevice } from "./testing/test-device.ts";
import { startTestSimulator } from "./testing/test-simulator.ts";
import type { TestSimulator } from "./testing/test-simulator.ts";
import { until } from "./testing/until.ts";

const LATENCY_MS = 5;

let simulator: TestSimulator;
beforeAll(async () => {
  simulator = await startTestSimulator();
});
afterAll(() => simulator.end());

let people = 0;
/** The device under test is linked to `own`; `other` is somebody else. */
let own: string;
let other: string;
let bucket: MemoryStorage;
let epoch: number;
let lives: TestDevice[];
let unreadableBefore: Awaited<ReturnType<typeof unreadable>>;
/** The way of each life to the bucket. */
let ways: ReturnType<typeof heldStorage>[];
beforeEach(async () => {
  bucket = new MemoryStorage();
  epoch = 0;
  lives = [];
  ways = [];
  [own, other] = [`1555100${1000 + ++people}`, `1555200${1000 + people}`];
  for (const phone of [own, other]) await simulator.addPhone(phone);
  unreadableBefore = await unreadable();
});
afterEach(async () => {
  for (const way of ways) way.releaseAll();
  for (const life of lives) await life.close();
});

/** A new life of the device, as a restarted host has it: whatever is held up of the one before stays so for ever. */
async function start(): Promise<TestDevice> {
  const way = heldStorage(bucket, LATENCY_MS);
  ways.push(way);
  const life = await TestDevice.load(simulator.wsUrl, way.storage, ++epoch);
  lives.push(life);
  return life;
}

/** Holds up the log of the present life; of a life that died it stays so. */
function hold(what: "request" | "reply" = "request"): () => void {
  const way = ways.at(-1);
  if (!way) throw new Error("nothing was started");
  return way.hold(what);
}

async function startLinked(): Promise<TestDevice> {
  const device = await start();
  await device.connect();
  await simulator.scan(own, device.qr ?? "");
  await device.finishLinking();
  await device.send(other, "hello", "WARM");
  await simulator.write(other, own, "hello back");
  await until(() => device.accepted.has("WARM") && device.texts().includes("hello back"));
  await until(async () => (await queued()) === 0);
  return device;
}

async function restart(): Promise<TestDevice> {
  lives.at(-1)?.crash();
  const device = await start();
  await device.connect();
  await until(() => device.isOpen);
  return device;
}

/** Stanzas that the server keeps for the device because it has no receipt for them. */
const queued = async () => (await simulator.stats()).devices.find(({ phone }) => phone === own)?.queued ?? 0;
const arrived = async (id: string) => (await simulator.inbox(other)).filter((message) => message.id === id);
/** The server has answered something that was asked after all that came before. */
const settled = async () => {
  for (let count = 0; count < 3; count++) await simulator.stats();
};
/** Neither side could not read something, in this test so far; and no append began in the midst of a decrypt. */
async function expectNothingUnreadable(...devices: TestDevice[]) {
  expect(await unreadable()).toEqual(unreadableBefore);
  expect(devices.map(({ stats }) => stats.torn)).toEqual(devices.map(() => 0));
}
const unreadable = async () => {
  const { undecryptable, retryReceipts } = await simulator.stats();
  return { undecryptable, retryReceipts };
};

describe("while the log is held up", () => {
  test("no message leaves, and what Baileys was told is written leaves when it goes on", async () => {
    const device = await startLinked();
    const release = hold();
    await device.send(other, "held", "HELD");
    await settled();
    expect(await arrived("HELD")).toEqual([]);
    release();
    await until(() => device.accepted.has("HELD"));
    expect(await arrived("HELD")).toMatchObject([{ text: "held", copies: 1 }]);
    await expectNothingUnreadable(device);
  });

  test("no receipt leaves", async () => {
    const device = await startLinked();
    const release = hold();
    await simulator.write(other, own, "unreceipted");
    await until(() => device.texts().includes("unreceipted"));
    await settled();
    expect(await queued()).toBe(1);
    release();
    await until(async () => (await queued()) === 0);
    await expectNothingUnreadable(device);
  });

  test("a pairing is not confirmed", async () => {
    const device = await start();
    await device.connect();
    const release = hold();
    let isPaired = false;
    const scanned = simulator.scan(own, device.qr ?? "").then(() => (isPaired = true));
    await until(() => device.state.creds.account !== undefined);
    await settled();
    expect(isPaired).toBe(false);
    release();
    await scanned;
    await device.finishLinking();
    await expectNothingUnreadable(device);
  });
});

describe("a process that dies", () => {
  test("before a sent message was durable has neither sent nor remembered it, and sends it once afterwards", async () => {
    const device = await startLinked();
    hold();
    await device.send(other, "again", "AGAIN");
    const next = await restart();
    expect(next.state.getOutbox("AGAIN")).toBeUndefined();
    expect(await arrived("AGAIN")).toEqual([]);
    await next.send(other, "again", "AGAIN");
    await until(async () => (await arrived("AGAIN")).length === 1);
    expect(await arrived("AGAIN")).toMatchObject([{ text: "again", copies: 1 }]);
    await expectNothingUnreadable(device, next);
  });

  test("after a message was sent and before its acknowledgement sends it again, readable both times", async () => {
    const device = await startLinked();
    await simulator.fault({ match: { phone: own }, fault: "no-ack" });
    await device.send(other, "twice", "TWICE");
    await until(async () => (await arrived("TWICE")).length === 1);
    await simulator.clearFaults();
    const next = await restart();
    expect(next.accepted.has("TWICE")).toBe(false);
    await next.send(other, "twice", "TWICE");
    await until(async () => (await arrived("TWICE"))[0]?.copies === 2);
    expect(await arrived("TWICE")).toMatchObject([{ text: "twice", copies: 2 }]);
    await expectNothingUnreadable(device, next);
  });

  test("before a decrypt was durable gets the message again and decrypts it again", async () => {
    const device = await startLinked();
    hold();
    await simulator.write(other, own, "undurable");
    await until(() => device.texts().includes("undurable"));
    const next = await restart();
    await until(() => next.texts().includes("undurable"));
    await until(async () => (await queued()) === 0);
    expect(next.stats.redelivered).toBe(0);
    await simulator.write(other, own, "next");
    await until(() => next.texts().includes("next"));
    await expectNothingUnreadable(device, next);
  });

  test("after a decrypt was durable and before its receipt left answers the redelivery from the journal", async () => {
    const device = await startLinked();
    hold("reply");
    await simulator.write(other, own, "journaled");
    await until(() => device.texts().includes("journaled"));
    const [key] = [...device.state.inbox.keys()].slice(-1);
    await until(() => isLogged(`in:${key}`));
    expect(await queued()).toBe(1);
    const next = await restart();
    await until(async () => (await queued()) === 0);
    expect(next.stats.redelivered).toBe(1);
    expect(next.texts().filter((text) => text === "journaled")).toHaveLength(1);
    await simulator.write(other, own, "next");
    await until(() => next.texts().includes("next"));
    await expectNothingUnreadable(device, next);
  });
});

test("a host that lost the device is cut off, and what it still says never leaves", async () => {
  const zombie = await startLinked();
  const owner = await TestDevice.load(simulator.wsUrl, bucket, ++epoch);
  lives.push(owner);
  void zombie.send(other, "from a zombie", "ZOMBIE").catch(() => undefined);
  await until(() => zombie.closes.length > 1 && !zombie.isOpen);
  expect(zombie.state.failed?.reason).toBe("fenced");
  expect(await arrived("ZOMBIE")).toEqual([]);
  await owner.connect();
  await owner.send(other, "from the owner", "OWNER");
  await until(() => owner.accepted.has("OWNER"));
  await until(async () => (await arrived("OWNER")).length > 0);
  expect(await arrived("OWNER")).toMatchObject([{ copies: 1 }]);
  await expectNothingUnreadable(zombie, owner);
});

test("messages that cross in bursts are all readable, each once", async () => {
  const device = await startLinked();
  const numbers = Array.from({ length: 30 }, (_, number) => number);
  await Promise.all([
    ...numbers.map((number) => device.send(other, `out ${number}`, `BURST${number}`)),
    ...numbers.map((number) => simulator.write(other, own, `in ${number}`)),
  ]);
  await until(() => numbers.every((number) => device.accepted.has(`BURST${number}`)));
  await until(() => device.texts().filter((text) => text.startsWith("in ")).length === numbers.length);
  await until(async () => (await queued()) === 0);
  const burst = (await simulator.inbox(other)).filter(({ id }) => id.startsWith("BURST"));
  expect(burst.map(({ text, copies }) => `${text} ${copies}`).sort()).toEqual(numbers.map((n) => `out ${n} 1`).sort());
  // Far fewer appends than messages: they are grouped.
  expect(device.state.appends).toBeLessThan(60);
  await expectNothingUnreadable(device);
});

test("a message of a group that comes while older ones wait is read after them", async () => {
  const device = await startLinked();
  const group = await simulator.addGroup(other, [own]);
  device.crash();
  // The first of them brings the sender key to all others.
  const waiting = Array.from({ length: 30 }, (_, number) => `waiting ${number}`);
  for (const text of waiting) await simulator.write(other, group, text);
  const next = await start();
  const isDealtWith = next.connect();
  await until(() => next.isOpen);
  const live = Array.from({ length: 5 }, (_, number) => `live ${number}`);
  for (const text of live) await simulator.write(other, group, text);
  await isDealtWith;
  await until(async () => (await queued()) === 0);
  expect(next.texts().slice(-35)).toEqual([...waiting, ...live]);
  await expectNothingUnreadable(device, next);
});

/** Looks into the log without opening it, which would fence the device under test. */
async function isLogged(name: string): Promise<boolean> {
  const objects = logObjects({ ...PLACE, storage: bucket });
  for (const { seq } of await objects.listEntries(0)) {
    const body = (await objects.readEntry(seq))?.body ?? Buffer.alloc(0);
    for (const [logged] of decodeRecords(body)) if (logged === name) return true;
  }
  return false;
}
