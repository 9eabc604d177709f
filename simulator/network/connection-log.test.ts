import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";

let world: World;

beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

async function statsOf(phone: string) {
  const { devices } = await world.stats();
  const found = devices.find((device) => device.phone === phone);
  if (!found) throw new Error(`${phone} has no device`);
  return found;
}

test("connections of one device that follow each other do not overlap", async () => {
  let client = await world.linked(ALICE);
  for (let i = 0; i < 2; i++) {
    await client.end();
    await until(async () => (await statsOf(ALICE)).connectionsNow === 0);
    client = await world.back(client);
  }
  const { connectionsNow, connectionsEver, replaced, longestOverlapMs, connections } = await statsOf(ALICE);
  expect({ connectionsNow, connectionsEver, replaced, longestOverlapMs }).toEqual({
    connectionsNow: 1,
    connectionsEver: 3,
    replaced: 0,
    longestOverlapMs: 0,
  });
  const [first, second, third] = connections;
  expect(first?.until).toBeLessThanOrEqual(second?.from ?? 0);
  expect(second?.until).toBeLessThanOrEqual(third?.from ?? 0);
  expect(third?.until).toBeNull();
});

test("a second connection of a device is counted, with the time for which there were two", async () => {
  const first = await world.linked(BOB);
  await world.post("/faults", { match: { phone: BOB }, fault: "half-open" });
  const second = world.client(first);
  await second.connect();
  await until(async () => (await statsOf(BOB)).connectionsNow === 1);
  const { replaced, longestOverlapMs, connections } = await statsOf(BOB);
  expect(replaced).toBe(1);
  const [older, newer] = connections;
  const overlapMs = (older?.until ?? 0) - (newer?.from ?? 0);
  expect(Math.abs(longestOverlapMs - overlapMs)).toBeLessThan(20);
  expect(newer?.until).toBeNull();
  expect(first.isOpen).toBe(false);
});
