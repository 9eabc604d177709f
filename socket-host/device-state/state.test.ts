import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Storage } from "../../shared/storage.ts";
import { logObjects } from "./log-objects.ts";
import { DeviceLog } from "./log.ts";
import { decodeRecords, encodeRecords } from "./records.ts";
import { heldStorage } from "./testing/held-storage.ts";
import { MemoryStorage } from "./testing/memory-storage.ts";
import { openState, place } from "./testing/open-state.ts";
import { shakyStorage } from "./testing/shaky-storage.ts";

let bucket: MemoryStorage;
let storage: Storage;
let hold: () => () => void;
beforeEach(() => {
  bucket = new MemoryStorage();
  const held = heldStorage(bucket);
  storage = held.storage;
  hold = () => held.hold();
});

const turn = () => new Promise((resolve) => setImmediate(resolve));
const message = (text: string) => ({ to: "1@s.whatsapp.net", bytes: Buffer.from(text), at: Date.now() });
const kilobyte = { padding: "x".repeat(1000) };
const decrypted = (text: string) => ({ attrs: { id: text }, kind: "msg", plain: Buffer.from(text), at: 1 });

/** What is new in each entry that holds any records: their names. */
async function appended(): Promise<string[][]> {
  const objects = logObjects(place(bucket));
  const names: string[][] = [];
  const known = new Map<string, string | null>();
  for (const { seq } of await objects.listEntries(0)) {
    const { body } = (await objects.readEntry(seq)) ?? { body: Buffer.alloc(0) };
    const news = [...decodeRecords(body)].filter(([name, text]) => known.get(name) !== text);
    for (const [name, text] of news) known.set(name, text);
    if (body.length) names.push(news.map(([name]) => name));
  }
  return names;
}

describe("a write", () => {
  test("is seen at once and is durable after one append", async () => {
    const state = await openState(storage);
    state.set({ session: { a: { step: 1 } } });
    expect(state.get("session", ["a", "b"])).toEqual({ a: { step: 1 } });
    expect(state.durableSeq).toBeLessThan(state.seq);
    await state.durable();
    expect(state.durableSeq).toBe(state.seq);
  });

  test("shares its append with everything that follows in microtasks", async () => {
    const state = await openState(storage);
    state.set({ session: { a: { step: 1 } } });
    for (let depth = 0; depth < 50; depth++) await Promise.resolve();
    state.journal("hash", decrypted("x"));
    state.saveCreds({ step: 1 });
    state.putOutbox("id", message("y"));
    await state.durable();
    expect(await appended()).toEqual([["key:session|a", "in:hash", "creds", "out:id"]]);
  });

  test("that comes while an append is under way goes with the next, once, as it is then", async () => {
    const state = await openState(storage);
    const release = hold();
    state.set({ session: { a: { step: 0 } } });
    await turn();
    for (let step = 1; step <= 20; step++) {
      state.set({ session: { a: { step } } });
      await turn();
    }
    release();
    await state.durable();
    expect(await appended()).toEqual([["key:session|a"], ["key:session|a"]]);
    expect((await openState(bucket, 2)).get("session", ["a"])).toEqual({ a: { step: 20 } });
  });

  test("that nobody waits for shares the append of what comes after it, or has its own a little later", async () => {
    const state = await openState(storage);
    state.journalSoon("first", decrypted("receipt"));
    await turn();
    await turn();
    expect(await appended()).toEqual([]);
    state.set({ session: { a: 1 } });
    await vi.waitFor(() => expect(state.durableSeq).toBe(state.seq));
    state.journalSoon("second", decrypted("receipt"));
    expect(state.durableSeq).toBeLessThan(state.seq);
    await vi.waitFor(() => expect(state.durableSeq).toBe(state.seq));
    const release = hold();
    state.set({ session: { a: 2 } });
    await turn();
    state.journalSoon("third", decrypted("receipt"));
    release();
    await state.durable();
    expect(await appended()).toEqual([["in:first", "key:session|a"], ["in:second"], ["key:session|a"], ["in:third"]]);
  });

  test("is not durable before its own append is, though an earlier one is", async () => {
    const state = await openState(storage);
    const release = hold();
    state.set({ session: { a: 1 } });
    const first = state.durable();
    await turn();
    state.set({ session: { b: 1 } });
    let isSecondDurable = false;
    const second = state.durable().then(() => (isSecondDurable = true));
    const releaseSecond = hold();
    release();
    await first;
    expect(isSecondDurable).toBe(false);
    releaseSecond();
    await second;
  });
});

describe("what is read", () => {
  test("is a copy that can be changed without changing the record", async () => {
    const state = await openState(storage);
    state.set({ "sender-key-memory": { group: { reader: true } } });
    const read = state.get("sender-key-memory", ["group"])["group"] as Record<string, boolean>;
    read["other"] = true;
    expect(state.get("sender-key-memory", ["group"])).toEqual({ group: { reader: true } });
  });

  test("is the same after the device was opened anew, for every kind of record", async () => {
    const state = await openState(storage);
    state.saveCreds({ registered: true, me: { id: "1" } });
    state.saveCreds({ step: 7 });
    state.set({ "pre-key": { 1: { public: Buffer.from("p") }, 2: { public: Buffer.from("q") } } });
    state.set({ "pre-key": { 1: null } });
    state.journal("kept", decrypted("kept"));
    state.journal("forgotten", decrypted("forgotten"));
    state.putOutbox("id", { ...message("sent"), attributes: { edit: "1" } });
    state.forget("forgotten");
    await state.durable();

    const again = await openState(storage, 2);
    expect(again.creds).toEqual({ registered: true, me: { id: "1" }, step: 7 });
    expect(again.get("pre-key", ["1", "2"])).toEqual({ 2: { public: Buffer.from("q") } });
    expect([...again.inbox]).toEqual([["kept", decrypted("kept")]]);
    expect(again.getOutbox("id")).toMatchObject({ bytes: Buffer.from("sent"), attributes: { edit: "1" } });
  });

  test("has no field that the credentials lost before", async () => {
    const state = await openState(storage);
    state.saveCreds({ me: { id: "1" } });
    await state.durable();
    delete state.creds.me;
    state.saveCreds({});
    await state.durable();
    expect((await openState(storage, 2)).creds).toEqual({ registered: false });
  });
});

describe("the journal", () => {
  test("tells which entries have become durable, once, and not those that were forgotten meanwhile", async () => {
    const state = await openState(storage);
    const told: string[][] = [];
    state.onJournaled = (keys) => told.push(keys);
    state.journal("a", decrypted("a"));
    state.journal("b", decrypted("b"));
    state.forget("b");
    expect(told).toEqual([]);
    await state.durable();
    state.journal("c", decrypted("c"));
    await state.durable();
    expect(told).toEqual([["a"], ["c"]]);
  });

  test("is forgotten with the next append, without causing one and without holding anything back", async () => {
    const state = await openState(storage);
    state.journal("a", decrypted("a"));
    await state.durable();
    state.forget("a");
    state.setLazily({ cache: { x: 1 } });
    await turn();
    expect(state.durableSeq).toBe(state.seq);
    expect(await appended()).toHaveLength(1);
    state.set({ session: { s: 1 } });
    await state.durable();
    expect((await appended())[1]).toEqual(["in:a", "key:cache|x", "key:session|s"]);
  });
});

describe("when the log refuses", () => {
  test("everything that waits and everything that comes is rejected, and listeners are told", async () => {
    const state = await openState(storage);
    const told = vi.fn();
    await openState(storage, 2);
    state.onDurable.add(told);
    state.set({ session: { a: 1 } });
    await expect(state.durable()).rejects.toMatchObject({ name: "StateFailure", reason: "fenced" });
    expect(told).toHaveBeenCalledTimes(1);
    expect(state.failed?.reason).toBe("fenced");
    await expect(state.durable()).rejects.toBe(state.failed);
    await expect(state.reset({ registered: false })).rejects.toBe(state.failed);
    const calls = [
      () => state.get("session", ["a"]),
      () => state.set({}),
      () => state.setLazily({}),
      () => state.putOutbox("id", message("x")),
      () => state.journal("key", decrypted("x")),
    ];
    for (const call of calls) expect(call).toThrow(state.failed);
    expect(() => state.saveCreds({ step: 1 })).not.toThrow();
    await state.close();
  });

  test("nothing of it is in the state that the new owner has", async () => {
    const state = await openState(storage);
    state.set({ session: { a: 1 } });
    await state.durable();
    const owner = await openState(storage, 2);
    state.set({ session: { a: 2 } });
    await expect(state.durable()).rejects.toMatchObject({ reason: "fenced" });
    expect(owner.get("session", ["a"])).toEqual({ a: 1 });
    expect((await openState(storage, 3)).get("session", ["a"])).toEqual({ a: 1 });
  });

  test("an append that is too large fails the state, and the one before it stands", async () => {
    const state = await openState(storage);
    state.set({ big: { a: "small" } });
    await state.durable();
    state.set({ big: { a: "x".repeat(9 << 20) } });
    await expect(state.durable()).rejects.toMatchObject({ reason: "too-large" });
    expect((await openState(storage, 2)).get("big", ["a"])).toEqual({ a: "small" });
  });
});

describe("closing", () => {
  test("stores what is left, the lazy part too, makes a snapshot, and stops", async () => {
    const state = await openState(storage);
    state.set({ session: { a: 1 } });
    state.setLazily({ cache: { x: 1 } });
    await Promise.all([state.close(), state.close()]);
    expect(state.failed?.reason).toBe("closed");
    expect([...bucket.objects.keys()].filter((name) => name.includes("/snap/"))).toHaveLength(1);
    const again = await openState(storage);
    expect(again.get("session", ["a"])).toEqual({ a: 1 });
    expect(again.get("cache", ["x"])).toEqual({ x: 1 });
  });

  test("leaves no entry behind that only a snapshot yet to come would cover", async () => {
    for (const epoch of [1, 2]) await (await openState(storage, epoch)).close();
    // What a bucket's rule does to old entries.
    await bucket.delete(await bucket.list("log/"));
    const state = await openState(storage, 3);
    state.set({ session: { a: 1 } });
    await state.close();
    await bucket.delete(await bucket.list("log/"));
    expect((await openState(storage, 4)).get("session", ["a"])).toEqual({ a: 1 });
  });
});

test("a reset leaves nothing but the new credentials, also for the next owner", async () => {
  const state = await openState(storage);
  state.set({ session: { a: 1 } });
  state.journal("a", decrypted("a"));
  state.putOutbox("id", message("x"));
  state.saveCreds({ me: { id: "1" } });
  await state.reset({ registered: false, step: 2 });
  for (const one of [state, await openState(storage, 2)]) {
    expect(one.creds).toEqual({ registered: false, step: 2 });
    expect(one.get("session", ["a"])).toEqual({});
    expect([one.inbox.size, one.getOutbox("id")]).toEqual([0, undefined]);
  }
});

test("who opens the state reads a few entries, however many were appended", async () => {
  const state = await openState(storage);
  for (let step = 1; step <= 100; step++) {
    state.set({ session: { [`contact-${step % 30}`]: { step } } });
    await state.durable();
  }
  let reads = 0;
  const counted = shakyStorage(bucket, async ({ method, key }) => {
    if (method === "get" && key.startsWith("log/")) reads += 1;
    return undefined;
  });
  expect((await openState(counted, 2)).get("session", ["contact-10"])).toEqual({ "contact-10": { step: 100 } });
  // 100 = 64 + 32 + 4
  expect(reads).toBe(3);
});

test("snapshots are made while writes go on, and the next owner sees all of it", async () => {
  const state = await openState(storage);
  const snapshots = new Set<string>();
  for (let step = 1; step <= 450; step++) {
    state.set({ session: { [`contact-${step % 30}`]: { step, ...kilobyte } } });
    state.journal(String(step), decrypted(String(step)));
    if (step % 3) state.forget(String(step));
    await state.durable();
    for (const name of bucket.objects.keys()) if (name.includes("/snap/")) snapshots.add(name);
  }
  expect(snapshots.size).toBe(3);
  const again = await openState(storage, 2);
  expect(again.get("session", ["contact-0"])).toEqual({ "contact-0": { step: 450, ...kilobyte } });
  expect(again.inbox.size).toBe(150);
});

test("a snapshot that cannot be stored harms nothing", async () => {
  let snapshotAttempts = 0;
  const noSnapshots = shakyStorage(bucket, async ({ method, key }) => {
    if (method !== "createIfAbsent" || !key.includes("/snap/")) return undefined;
    snapshotAttempts += 1;
    return "lost request";
  });
  const state = await openState(noSnapshots);
  for (let step = 1; step <= 300; step++) {
    state.set({ session: { [`contact-${step}`]: { step, ...kilobyte } } });
    await state.durable();
  }
  expect(snapshotAttempts).toBe(1);
  expect((await openState(bucket, 2)).get("session", ["contact-300"])).toEqual({
    "contact-300": { step: 300, ...kilobyte },
  });
});

test("a log that is long when it is opened gets its snapshot later, when other devices are open too", async () => {
  const noSnapshots = shakyStorage(bucket, async ({ method, key }) =>
    method === "createIfAbsent" && key.includes("/snap/") ? "lost request" : undefined,
  );
  const first = await openState(noSnapshots);
  const write = async (state: typeof first, steps: number) => {
    for (let step = 1; step <= steps; step++) {
      state.set({ session: { [`contact-${step}`]: { step, ...kilobyte } } });
      await state.durable();
    }
  };
  await write(first, 200);
  const second = await openState(bucket, 2);
  await write(second, 5);
  expect([...bucket.objects.keys()].filter((name) => name.includes("/snap/"))).toEqual([]);
  await second.close();
  expect([...bucket.objects.keys()].filter((name) => name.includes("/snap/"))).not.toEqual([]);
});

test("what is not durable is counted, so that input can be slowed down", async () => {
  const state = await openState(storage);
  const release = hold();
  state.journal("a", { ...decrypted("a"), plain: Buffer.alloc(100_000) });
  await turn();
  state.journal("b", { ...decrypted("b"), plain: Buffer.alloc(100_000) });
  expect(state.backlogBytes).toBeGreaterThan(200_000);
  release();
  await state.durable();
  expect(state.backlogBytes).toBe(0);
});

test("a record of a kind that a later version writes is kept, also in snapshots, and goes with the link", async () => {
  const opened = await DeviceLog.open({ ...place(storage), epoch: 1 });
  if (opened.outcome !== "open") throw new Error(opened.outcome);
  await opened.log.append(encodeRecords([["later:note", '{"n":1}']]));
  const noted = async (epoch: number) => {
    const last = new Map<string, string | null>();
    const again = await DeviceLog.open({ ...place(storage), epoch });
    if (again.outcome !== "open") throw new Error(again.outcome);
    for (const body of again.bodies) for (const [name, text] of decodeRecords(body)) last.set(name, text);
    return last.get("later:note");
  };
  const state = await openState(storage, 2);
  state.set({ session: { a: { step: 1 } } });
  // A clean end makes a snapshot.
  await state.close();
  expect(await noted(3)).toBe('{"n":1}');
  const later = await openState(storage, 4);
  await later.reset({ registered: false });
  await later.close();
  expect(await noted(5)).not.toBe('{"n":1}');
});
