import { expect, test } from "vitest";
import { DeviceLog } from "./log.ts";
import { MemoryStorage } from "./testing/memory-storage.ts";
import { openState, place } from "./testing/open-state.ts";
import { shakyStorage } from "./testing/shaky-storage.ts";
import { wipe } from "./wipe.ts";

const names = (bucket: MemoryStorage) => [...bucket.objects.keys()].sort();

test("after a wipe nothing is left but HEAD and entries without a body, and the device id begins anew", async () => {
  const bucket = new MemoryStorage();
  const state = await openState(bucket);
  state.set({ session: { a: 1 } });
  await state.close();
  await bucket.createIfAbsent("devices/user/device/chats/1", Buffer.from("x"));
  await bucket.createIfAbsent("devices/user/device-2/HEAD", Buffer.from("another device"));
  expect(await wipe({ ...place(bucket), epoch: 1 })).toBe("wiped");
  expect(names(bucket)).toEqual([
    "devices/user/device-2/HEAD",
    "devices/user/device/HEAD",
    "log/devices/user/device/000000000001",
    "log/devices/user/device/000000000003",
  ]);
  const again = await openState(bucket);
  expect(again.get("session", ["a"])).toEqual({});
  expect(again.creds).toEqual({ registered: false });
  again.set({ session: { b: 1 } });
  await again.durable();
  expect((await openState(bucket, 2)).get("session", ["b"])).toEqual({ b: 1 });
});

test("an owner from before the wipe cannot write or open any more", async () => {
  const bucket = new MemoryStorage();
  const zombie = await openState(bucket, 1);
  expect(await wipe({ ...place(bucket), epoch: 2 })).toBe("wiped");
  zombie.set({ session: { a: 1 } });
  await expect(zombie.durable()).rejects.toMatchObject({ reason: "fenced" });
  expect(await DeviceLog.open({ ...place(bucket), epoch: 1 })).toEqual({ outcome: "fenced" });
});

test("no owner before the last one can write into a number that the wipe has freed", async () => {
  const bucket = new MemoryStorage();
  const zombie = await openState(bucket, 1);
  const owner = await openState(bucket, 2);
  for (const step of [1, 2, 3]) {
    owner.set({ session: { a: step } });
    await owner.durable();
  }
  await owner.close();
  expect(await wipe({ ...place(bucket), epoch: 2 })).toBe("wiped");
  zombie.set({ session: { a: 1 } });
  await expect(zombie.durable()).rejects.toMatchObject({ reason: "fenced" });
});

test("a wipe that is cut short after its tombstone has wiped, and whoever opened meanwhile keeps what is new", async () => {
  const bucket = new MemoryStorage();
  const state = await openState(bucket);
  state.set({ session: { a: 1 } });
  await state.close();
  const noHead = shakyStorage(bucket, ({ method }) =>
    Promise.resolve(method === "replaceIf" ? "lost request" : undefined),
  );
  await expect(wipe({ ...place(noHead), epoch: 1 })).rejects.toThrow("not reached");
  const next = await openState(bucket, 2);
  expect(next.get("session", ["a"])).toEqual({});
  next.set({ session: { b: 1 } });
  await next.close();
  expect((await openState(bucket, 3)).get("session", ["a", "b"])).toEqual({ b: 1 });
});

test("a wipe under an older epoch changes nothing", async () => {
  const bucket = new MemoryStorage();
  const owner = await openState(bucket, 3);
  owner.set({ session: { a: 1 } });
  await owner.durable();
  const before = names(bucket);
  expect(await wipe({ ...place(bucket), epoch: 2 })).toBe("fenced");
  await owner.close();
  expect(await wipe({ ...place(bucket), epoch: 2 })).toBe("fenced");
  expect(names(bucket)).toEqual(expect.arrayContaining(before));
  expect((await openState(bucket, 4)).get("session", ["a"])).toEqual({ a: 1 });
});

test("a wipe can be repeated, and works on what cannot be read", async () => {
  const bucket = new MemoryStorage();
  const state = await openState(bucket);
  state.set({ session: { a: 1 } });
  await state.durable();
  const otherKey = { ...place(bucket), key: Buffer.alloc(32, 1), epoch: 2 };
  expect(await wipe(otherKey)).toBe("wiped");
  expect(await wipe(otherKey)).toBe("wiped");
  expect(await DeviceLog.open(otherKey)).toMatchObject({ outcome: "open", bodies: [] });
});
