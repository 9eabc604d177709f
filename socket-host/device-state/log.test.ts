import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Storage } from "../../shared/storage.ts";
import { startTestBucket } from "../../shared/testing/test-bucket.ts";
import { DeviceLog, MAX_ENTRY_BYTES } from "./log.ts";
import { shakyStorage } from "./testing/shaky-storage.ts";
import type { Call, Fault } from "./testing/shaky-storage.ts";

let bucket: Awaited<ReturnType<typeof startTestBucket>>;
beforeAll(async () => {
  bucket = await startTestBucket();
});
afterAll(() => bucket.end());

const key = Buffer.alloc(32, 3);
let prefix = "";
let devices = 0;
/** What happens to the next call that fits; then the store is well again. */
let fault: ((call: Call) => Fault | undefined | Promise<undefined>) | undefined;
let storage: Storage;
beforeEach(() => {
  prefix = `devices/user/device-${++devices}/`;
  fault = undefined;
  storage = shakyStorage(bucket.storage, async (call) => {
    const happens = await fault?.(call);
    if (happens) fault = undefined;
    return happens;
  });
});

async function open(epoch: number) {
  const opened = await DeviceLog.open({ storage, prefix, epoch, key });
  if (opened.outcome !== "open") throw new Error(JSON.stringify(opened));
  return { log: opened.log, read: opened.bodies.map(String) };
}
const read = async (epoch: number) => (await open(epoch)).read;
const append = async (log: DeviceLog, text: string) => (await log.append(Buffer.from(text))).outcome;
const snapshot = async (log: DeviceLog, ...texts: string[]) =>
  log.adopt(await log.draft(texts.map((text) => Buffer.from(text))));
const entryNames = () => bucket.storage.list(`log/${prefix}`);
const onNext = (method: Call["method"], what: Fault) => {
  fault = (call) => (call.method === method ? what : undefined);
};

test("what was appended is read again, in its order", async () => {
  const { log, read: nothing } = await open(1);
  expect(nothing).toEqual([]);
  for (const text of ["a", "b", "c"]) expect(await append(log, text)).toBe("ok");
  expect(await read(2)).toEqual(["a", "b", "c"]);
});

test("who opens the log later fences who had it before, under the same epoch too", async () => {
  const { log: first } = await open(1);
  await append(first, "a");
  const { log: second } = await open(1);
  expect(await append(first, "from the past")).toBe("fenced");
  const { log: third } = await open(2);
  expect(await append(second, "from the past")).toBe("fenced");
  expect(await append(third, "b")).toBe("ok");
  expect(await read(3)).toEqual(["a", "b"]);
});

test("an older epoch cannot open what a newer one has opened, with or without a snapshot", async () => {
  const { log } = await open(5);
  expect(await DeviceLog.open({ storage, prefix, epoch: 4, key })).toEqual({ outcome: "fenced" });
  await append(log, "a");
  await snapshot(log, "a");
  const names = await entryNames();
  expect(await DeviceLog.open({ storage, prefix, epoch: 4, key })).toEqual({ outcome: "fenced" });
  expect(await entryNames()).toEqual(names);
});

test("an append whose reply was lost meets itself and is not taken for another owner's", async () => {
  const { log } = await open(1);
  onNext("createIfAbsent", "lost reply");
  expect(await append(log, "a")).toBe("ok");
  onNext("createIfAbsent", "no reply");
  expect(await append(log, "b")).toBe("ok");
  expect(await read(2)).toEqual(["a", "b"]);
});

test("an append whose request was lost is made again", async () => {
  const { log } = await open(1);
  onNext("createIfAbsent", "lost request");
  expect(await append(log, "a")).toBe("ok");
  expect(await read(2)).toEqual(["a"]);
});

test("a fence that meets the last append of the owner before takes it in", async () => {
  const { log: first } = await open(1);
  await append(first, "a");
  // The owner before appends after the new one has read, and just before its fence.
  fault = async (call) => {
    if (call.method !== "createIfAbsent") return undefined;
    fault = undefined;
    expect(await append(first, "late")).toBe("ok");
    return undefined;
  };
  const { log: second, read: seen } = await open(2);
  expect(seen).toEqual(["a", "late"]);
  expect(await append(first, "too late")).toBe("fenced");
  expect(await append(second, "b")).toBe("ok");
});

test("opening starts again when HEAD moves meanwhile, and sees nothing twice", async () => {
  const { log: first } = await open(1);
  await append(first, "a");
  await snapshot(first, "a");
  await append(first, "b");
  let heads = 0;
  // Between the two looks at HEAD the owner before makes a snapshot, which removes the one that is being read.
  fault = async (call) => {
    if (call.method !== "get" || call.key !== `${prefix}HEAD` || ++heads !== 2) return undefined;
    expect(await snapshot(first, "a", "b")).toBe("ok");
    return undefined;
  };
  const { read: seen } = await open(2);
  expect(heads).toBe(4);
  expect(seen).toEqual(["a", "b"]);
});

test("an entry that repeats those before it is read in their place, together with the fence", async () => {
  const { log } = await open(1);
  await append(log, "a");
  for (const [text, repeats] of [
    ["a b", 1],
    ["a b c", 2],
    ["d", 0],
    ["d e", 1],
  ] as const)
    expect((await log.append(Buffer.from(text), repeats)).outcome).toBe("ok");
  let reads = 0;
  fault = ({ method, key: name }) => void (method === "get" && name.startsWith("log/") && reads++);
  expect(await read(2)).toEqual(["a b c", "d e"]);
  expect(reads).toBe(2);
});

test("reading begins at the snapshot, and only the newest is kept", async () => {
  const { log } = await open(1);
  await append(log, "a");
  expect(await snapshot(log, "first part", "second part")).toBe("ok");
  await append(log, "b");
  expect(await snapshot(log, "newer")).toBe("ok");
  await append(log, "c");
  expect(await read(2)).toEqual(["newer", "c"]);
  expect(await bucket.storage.list(`${prefix}snap/`)).toHaveLength(1);
  expect(await entryNames()).toHaveLength(5);
});

test("a snapshot covers what was appended when it was begun; what came during it is read on top", async () => {
  const { log } = await open(1);
  await append(log, "a");
  const draft = await log.draft([Buffer.from("snapshot")]);
  await append(log, "b");
  expect(await log.adopt(draft)).toBe("ok");
  expect(await read(2)).toEqual(["snapshot", "b"]);
});

test("a snapshot whose reply was lost meets itself; one of an owner that was fenced changes nothing", async () => {
  const { log: first } = await open(1);
  await append(first, "a");
  onNext("replaceIf", "lost reply");
  expect(await snapshot(first, "one")).toBe("ok");
  const late = await first.draft([Buffer.from("late")]);
  const { log: second } = await open(2);
  expect(await snapshot(second, "two")).toBe("ok");
  expect(await first.adopt(late)).toBe("fenced");
  expect(await read(3)).toEqual(["two"]);
});

test("the last snapshot of the owner before does no harm to the next one's", async () => {
  const { log: first } = await open(1);
  await append(first, "a");
  const draft = await first.draft([Buffer.from("a")]);
  const { log: second } = await open(2);
  expect(await first.adopt(draft)).toBe("ok");
  await append(second, "b");
  expect(await snapshot(second, "a and b")).toBe("ok");
  expect(await read(3)).toEqual(["a and b"]);
});

test("a snapshot is due when the log has grown long beside it", async () => {
  const { log } = await open(1);
  await append(log, "a");
  expect([log.isAheadOfSnapshot, log.isSnapshotDue]).toEqual([true, false]);
  await log.append(Buffer.alloc(4 << 20));
  expect(log.isSnapshotDue).toBe(true);
  await snapshot(log, "x");
  expect([log.isAheadOfSnapshot, log.isSnapshotDue]).toEqual([false, false]);
  await append(log, "b");
  await snapshot(log, "x");
  for (let repeats = 0; repeats < 20; repeats++) await log.append(Buffer.alloc(10), repeats);
  expect(log.isSnapshotDue).toBe(false);
  for (const text of ["c", "d", "e", "f", "g", "h", "i"]) await append(log, text);
  expect(log.isSnapshotDue).toBe(true);
});

test("an entry beyond the limit is refused and nothing is written", async () => {
  const { log } = await open(1);
  const names = await entryNames();
  expect(await log.append(Buffer.alloc(MAX_ENTRY_BYTES))).toMatchObject({ outcome: "too-large" });
  expect(await entryNames()).toEqual(names);
});

test("a log under another key is unreadable, and says which object", async () => {
  const { log } = await open(1);
  await append(log, "a");
  const opened = await DeviceLog.open({ storage, prefix, epoch: 2, key: Buffer.alloc(32, 4) });
  expect(opened).toMatchObject({ outcome: "unreadable", object: `log/${prefix}000000000002` });
});

test("what a newer version of the product has written is unreadable to this one, which says so and changes nothing", async () => {
  const { log } = await open(1);
  await append(log, "a");
  const entry = `log/${prefix}000000000003`;
  await bucket.storage.createIfAbsent(entry, Buffer.concat([Buffer.of(2), Buffer.alloc(60)]));
  const opened = { outcome: "unreadable", why: expect.stringContaining("format is 2, known is 1") };
  expect(await DeviceLog.open({ storage, prefix, epoch: 2, key })).toMatchObject({ ...opened, object: entry });
  await bucket.storage.createIfAbsent(`${prefix}HEAD`, Buffer.from('{"format":2}'));
  const names = await entryNames();
  expect(await DeviceLog.open({ storage, prefix, epoch: 2, key })).toMatchObject({
    ...opened,
    object: `${prefix}HEAD`,
  });
  expect(await entryNames()).toEqual(names);
});

test("a log that misses an entry, or its snapshot, is unreadable instead of older than it was", async () => {
  const { log } = await open(1);
  await append(log, "a");
  await append(log, "b");
  await bucket.storage.delete([`log/${prefix}000000000002`]);
  expect(await DeviceLog.open({ storage, prefix, epoch: 2, key })).toMatchObject({ outcome: "unreadable" });
  await snapshot(log, "a and b");
  expect(await read(2)).toEqual(["a and b"]);
  await bucket.storage.delete(await bucket.storage.list(`${prefix}snap/`));
  expect(await DeviceLog.open({ storage, prefix, epoch: 3, key })).toMatchObject({ outcome: "unreadable" });
});

test("opening throws when the store does not answer", async () => {
  onNext("list", "lost request");
  await expect(DeviceLog.open({ storage, prefix, epoch: 1, key })).rejects.toThrow("not reached");
});
