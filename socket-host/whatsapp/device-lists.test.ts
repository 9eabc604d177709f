import { afterEach, expect, test, vi } from "vitest";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { deviceLists } from "./device-lists.ts";
import { ourParty } from "./testing/signal-party.ts";

afterEach(() => vi.useRealTimers());
const devices = [{ user: "15550000002", device: 3, server: "s.whatsapp.net" }];

test("a list is known for an hour", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const { state } = await ourParty("100000000000001@lid");
  const lists = deviceLists(state);
  await lists.set("15550000002", devices);
  vi.setSystemTime(Date.now() + 3_599_000);
  expect(await lists.get("15550000002")).toEqual(devices);
  vi.setSystemTime(Date.now() + 1_000);
  expect(await lists.get("15550000002")).toBeUndefined();
  await state.close();
});

test("a list is known after a restart, unless it was deleted; keeping it causes no append and holds nothing back", async () => {
  const storage = new MemoryStorage();
  const { state } = await ourParty("100000000000001@lid", storage);
  const lists = deviceLists(state);
  await state.durable();
  const { appends } = state;
  await lists.set("kept", devices);
  await lists.set("deleted", devices);
  await lists.del("deleted");
  expect([state.seq, state.appends]).toEqual([state.durableSeq, appends]);
  await state.close();
  const again = await ourParty("100000000000001@lid", storage);
  expect(await deviceLists(again.state).get("kept")).toEqual(devices);
  expect(await deviceLists(again.state).get("deleted")).toBeUndefined();
  await again.state.close();
});
