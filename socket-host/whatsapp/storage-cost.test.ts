import { afterAll, beforeAll, expect, test } from "vitest";
import { heldStorage } from "../device-state/testing/held-storage.ts";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { TestDevice } from "./testing/test-device.ts";
import { startTestSimulator } from "./testing/test-simulator.ts";
import type { TestSimulator } from "./testing/test-simulator.ts";
import { until } from "./testing/until.ts";

/** About what a small PUT to S3 takes. */
const LATENCY_MS = 40;
const OWN = "15554000001";
const OTHER = "15554000002";

/** Counts what S3 would charge for. */
class CountingBucket extends MemoryStorage {
  puts = 0;
  override createIfAbsent(key: string, body: Buffer) {
    this.puts += 1;
    return super.createIfAbsent(key, body);
  }
}

let simulator: TestSimulator;
const bucket = new CountingBucket();
let device: TestDevice;
beforeAll(async () => {
  simulator = await startTestSimulator();
  for (const phone of [OWN, OTHER]) await simulator.addPhone(phone);
});
afterAll(async () => {
  await device.close();
  await simulator.end();
});

/** How many objects are written from now until nothing is left to be written. */
async function putsOf(work: () => Promise<void>): Promise<number> {
  const before = bucket.puts;
  await work();
  await until(async () => (await simulator.stats()).devices.every(({ queued }) => queued === 0));
  await device.state.durable();
  return bucket.puts - before;
}
const send = async (id: string) => {
  await device.send(OTHER, id, id);
  await until(() => device.accepted.has(id));
};

test("linking a device writes at most five objects", async () => {
  const before = bucket.puts;
  device = await TestDevice.load(simulator.wsUrl, heldStorage(bucket, LATENCY_MS).storage, 1);
  const puts = await putsOf(async () => {
    await device.connect();
    await simulator.scan(OWN, device.qr ?? "");
    await device.finishLinking();
  });
  const whole = bucket.puts - before;
  process.stdout.write(`${whole} objects to link a device, ${whole - puts} of them to open its state\n`);
  expect(whole).toBeLessThanOrEqual(5);
});

test("a message to somebody who was written to before writes one object", async () => {
  await putsOf(() => send("FIRST"));
  await putsOf(async () => void (await simulator.write(OTHER, OWN, "ends the first exchange of keys")));
  for (const id of ["SECOND", "THIRD"]) expect(await putsOf(() => send(id))).toBe(1);
});

test("messages that are sent at once share an object", async () => {
  const ids = Array.from({ length: 20 }, (_, n) => `AT-ONCE-${n}`);
  const puts = await putsOf(async () => void (await Promise.all(ids.map(send))));
  // The first begins at once, the others go while it is on its way.
  expect(puts).toBeLessThanOrEqual(3);
});
