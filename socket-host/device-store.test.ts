import { beforeAll, expect, test } from "vitest";
import { testDatabase, testUser } from "../local/testing/test-database.ts";
import * as devices from "../shared/db/devices.ts";
import type { Database } from "../shared/db/pool.ts";
import type { DeviceId, UserId } from "../shared/ids.ts";
import { MemoryStorage } from "./device-state/testing/memory-storage.ts";
import { DeviceStore } from "./device-store.ts";
import { deviceOptions } from "./testing/device-options.ts";

const deviceId = "stored" as DeviceId;
let database: Database;
let userId: UserId;

beforeAll(async () => {
  database = await testDatabase();
  userId = await testUser(database);
  await devices.create(database, { deviceId, userId, deviceName: null }, 1);
});

const storeOf = (storage: MemoryStorage, epoch: number, lease: { epoch: number } | undefined) =>
  new DeviceStore({
    ...deviceOptions({ database, deviceId, userId }),
    storage,
    epoch,
    raiseEpoch: async (above) => lease && Math.max(lease.epoch, above + 1),
  });

const lifeOf = async (store: DeviceStore) => {
  const life = await store.load();
  if (typeof life !== "object") throw new Error(life);
  return life;
};

test("what was stored under the higher epoch of another shard is opened by whoever holds the device's shard now", async () => {
  const storage = new MemoryStorage();
  const before = storeOf(storage, 57, undefined);
  (await lifeOf(before)).state.set({ session: { a: 1 } });
  await before.close();
  const after = storeOf(storage, 2, { epoch: 2 });
  expect((await lifeOf(after)).state.get("session", ["a"])).toEqual({ a: 1 });
  expect(after.epoch).toBe(58);
  await after.close();
});

test("a host whose lease is another's cannot open it, nor wipe it", async () => {
  const storage = new MemoryStorage();
  const owner = storeOf(storage, 3, undefined);
  (await lifeOf(owner)).state.set({ session: { a: 1 } });
  const zombie = storeOf(storage, 2, undefined);
  expect(await zombie.load()).toBe("fenced");
  expect(await zombie.wipe()).toBe("fenced");
  expect((await lifeOf(owner)).state.get("session", ["a"])).toEqual({ a: 1 });
  await owner.close();
});

test("a wipe ends what is loaded, and the next load begins anew", async () => {
  const storage = new MemoryStorage();
  const store = storeOf(storage, 1, { epoch: 1 });
  const { state } = await lifeOf(store);
  state.set({ session: { a: 1 } });
  expect(await store.wipe()).toBe("wiped");
  expect(state.failed?.reason).toBe("closed");
  expect((await lifeOf(store)).state.get("session", ["a"])).toEqual({});
  await store.close();
  expect(await store.load()).toBe("closed");
});
