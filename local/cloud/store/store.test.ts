import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPayload } from "./data-file.ts";
import type { PayloadLocation } from "./data-file.ts";
import { Store } from "./store.ts";

type Record = { set: string; value: string } | { remove: string };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "store-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** A map from names to a value and a payload: the smallest state there is. */
async function openMap(compactAfterBytes = 1e9, format = 2) {
  const entries = new Map<string, { value: string; payload: PayloadLocation | undefined }>();
  const compactionErrors: unknown[] = [];
  const store = await Store.open<Record>({
    directory,
    format,
    state: {
      apply: (record, payload) => {
        if ("set" in record) entries.set(record.set, { value: record.value, payload });
        else entries.delete(record.remove);
      },
      capture: () =>
        [...entries].map(([set, { value, payload }]) => ({ record: { set, value }, ...(payload && { payload }) })),
    },
    compactAfterBytes,
    onBroken: (error) => {
      throw error;
    },
    onCompactionFailed: (error) => compactionErrors.push(error),
  });
  return {
    store,
    entries,
    compactionErrors,
    set: (name: string, value: string, payload?: string) =>
      store.commit({
        records: [{ set: name, value }],
        ...(payload !== undefined && { payload: Buffer.from(payload) }),
      }),
    remove: (name: string) => store.commit({ records: [{ remove: name }] }),
    values: () => Object.fromEntries([...entries].map(([name, { value }]) => [name, value])),
    payload: async (name: string) => {
      const location = entries.get(name)?.payload;
      return location && (await readPayload(location)).toString();
    },
  };
}

const files = async () => (await readdir(directory)).filter((name) => name !== "lock").sort();

describe("what was committed", () => {
  it("is there again after a restart, in the order of the commits, with its payload", async () => {
    const first = await openMap();
    await Promise.all([first.set("a", "1", "payload of a"), first.set("b", "2"), first.set("a", "3", "second")]);
    await first.remove("b");
    expect(first.values()).toEqual({ a: "3" });
    await first.store.close();
    const second = await openMap();
    expect(second.values()).toEqual({ a: "3" });
    expect(await second.payload("a")).toBe("second");
    await second.set("c", "4", "x".repeat(1_000_000));
    expect(await second.payload("c")).toHaveLength(1_000_000);
    await second.store.close();
  });

  it("takes effect together", async () => {
    const first = await openMap();
    await first.store.commit({ records: [{ set: "a", value: "1" }, { set: "b", value: "1" }, { remove: "a" }] });
    await first.store.close();
    const second = await openMap();
    expect(second.values()).toEqual({ b: "1" });
    await second.store.close();
  });
});

describe("a crash in the middle of a write", () => {
  async function lastJournal(): Promise<string> {
    return join(directory, (await files()).findLast((name) => name.startsWith("journal-")) ?? "");
  }

  it.each([1, 10, 25, 60])("loses %i bytes of what was not acknowledged, and nothing else", async (bytes) => {
    const first = await openMap();
    await first.set("a", "1", "kept");
    const acknowledged = (await stat(await lastJournal())).size;
    await first.set("b", "2", "x".repeat(100));
    await first.store.close();
    await truncate(await lastJournal(), (await stat(await lastJournal())).size - bytes);
    const second = await openMap();
    expect(second.values()).toEqual({ a: "1" });
    expect((await stat(await lastJournal())).size).toBe(acknowledged);
    await second.set("c", "3");
    await second.store.close();
    const third = await openMap();
    expect(third.values()).toEqual({ a: "1", c: "3" });
    expect(await third.payload("a")).toBe("kept");
    await third.store.close();
  });

  it("may leave any garbage at the end", async () => {
    const first = await openMap();
    await first.set("a", "1");
    await first.store.close();
    await appendFile(await lastJournal(), Buffer.concat([Buffer.alloc(5_000), Buffer.from("GLC1garbage")]));
    const second = await openMap();
    expect(second.values()).toEqual({ a: "1" });
    await second.store.close();
  });

  it("may leave a journal without its header, or the draft of a snapshot", async () => {
    await writeFile(join(directory, "journal-00000001"), "GLC1");
    await writeFile(join(directory, "snapshot-00000002.tmp"), "half");
    const map = await openMap();
    await map.set("a", "1");
    await map.store.close();
    expect(await files()).toEqual(["journal-00000001"]);
    const again = await openMap();
    expect(again.values()).toEqual({ a: "1" });
    await again.store.close();
  });
});

describe("damage", () => {
  it("in the middle of what was acknowledged is refused, not cut off", async () => {
    const first = await openMap();
    for (const name of ["a", "b", "c"]) await first.set(name, "value");
    await first.store.close();
    const path = join(directory, "journal-00000001");
    const bytes = await readFile(path);
    bytes[bytes.indexOf('"a"') + 1] = 0x7a;
    await writeFile(path, bytes);
    await expect(openMap()).rejects.toThrow(/journal-00000001 is damaged at byte \d+/);
    expect(await readFile(path)).toEqual(bytes);
  });

  it("of a snapshot, and a journal that is missing, are refused", async () => {
    const first = await openMap(1);
    await first.set("a", "1");
    await expect.poll(files).toContain("snapshot-00000002");
    await first.store.close();
    const [journal, snapshot] = [join(directory, "journal-00000002"), join(directory, "snapshot-00000002")];
    const good = await readFile(snapshot);
    await truncate(snapshot, good.length - 1);
    await expect(openMap()).rejects.toThrow("snapshot-00000002 is damaged");
    await writeFile(snapshot, good);
    await rm(journal);
    await expect(openMap()).rejects.toThrow("journal-00000002 is missing");
  });
});

describe("a directory of another format", () => {
  const journal = (number: number) => readFile(join(directory, `journal-0000000${number}`));

  it("that is later is refused with what to do, and left as it is", async () => {
    const newer = await openMap(1e9, 3);
    await newer.set("a", "1");
    await newer.store.close();
    const before = await journal(1);
    await expect(openMap()).rejects.toThrow(
      "journal-00000001 has format 3, this version reads up to 2: it was written by a newer version of this program, which is needed to read it",
    );
    expect(await files()).toEqual(["journal-00000001"]);
    expect(await journal(1)).toEqual(before);
    const again = await openMap(1e9, 3);
    expect(again.values()).toEqual({ a: "1" });
    await again.store.close();
  });

  it("that is earlier is read, and goes on in a new journal that programs of that time refuse", async () => {
    const older = await openMap(1e9, 1);
    await older.set("a", "1", "payload");
    await older.store.close();
    const before = await journal(1);
    const newer = await openMap();
    expect(newer.values()).toEqual({ a: "1" });
    await newer.set("b", "2");
    await newer.store.close();
    expect(await journal(1)).toEqual(before);
    await expect(openMap(1e9, 1)).rejects.toThrow("journal-00000002 has format 2");
    const again = await openMap();
    expect(again.values()).toEqual({ a: "1", b: "2" });
    expect(await again.payload("a")).toBe("payload");
    await again.store.close();
    expect(await files()).toEqual(["journal-00000001", "journal-00000002"]);
  });

  it("that is earlier is wholly of this one after a compaction", async () => {
    const older = await openMap(1, 1);
    await older.set("a", "1");
    await expect.poll(files).toContain("snapshot-00000002");
    await older.store.close();
    const newer = await openMap(1);
    await newer.set("b", "2");
    await expect.poll(files).toEqual(["journal-00000004", "snapshot-00000004"]);
    await newer.store.close();
    for (const name of await files()) expect(await readFile(join(directory, name), "latin1")).toContain('"format":2');
    const again = await openMap();
    expect(again.values()).toEqual({ a: "1", b: "2" });
    await again.store.close();
  });
});

describe("compaction", () => {
  it("keeps the directory small while everything stays readable and writers go on", async () => {
    const map = await openMap(20_000);
    const payload = "x".repeat(500);
    for (let round = 0; round < 40; round += 1) {
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => map.set(`key-${index}`, `${round}`, `${round}${payload}`)),
      );
      expect(await map.payload("key-7")).toBe(`${round}${payload}`);
    }
    await map.set("last", "1", "last payload");
    await map.store.close();
    expect(map.compactionErrors).toEqual([]);
    const sizes = await Promise.all((await files()).map(async (name) => (await stat(join(directory, name))).size));
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(150_000);
    const again = await openMap(20_000);
    expect(Object.keys(again.values())).toHaveLength(21);
    expect(await again.payload("key-19")).toBe(`39${payload}`);
    expect(await again.payload("last")).toBe("last payload");
    await again.store.close();
  });

  it("that fails loses nothing and is tried again", async () => {
    const map = await openMap(3_000);
    // What the next snapshot would be called is in the way.
    await writeFile(join(directory, "snapshot-00000002.tmp"), "");
    const write = (name: string) => map.set(name, "1", "x".repeat(1_000));
    for (const name of ["a", "b", "c", "d"]) await write(name);
    await expect.poll(() => map.compactionErrors.length).toBe(1);
    for (const name of ["e", "f", "g", "h"]) await write(name);
    await expect.poll(files).toContain("snapshot-00000003");
    for (const name of map.entries.keys()) expect(await map.payload(name)).toHaveLength(1_000);
    await map.store.close();
    const again = await openMap();
    expect(Object.keys(again.values()).join("")).toBe("abcdefgh");
    await again.store.close();
  });

  it("that a crash cut short leaves the old files, which are replayed", async () => {
    const first = await openMap(1);
    await first.set("a", "1", "payload");
    await expect.poll(files).toEqual(["journal-00000002", "snapshot-00000002"]);
    await first.store.close();
    // As if the process had died between the new journal and the new snapshot.
    const second = await openMap();
    await second.set("b", "2");
    await second.store.close();
    const { createJournal } = await import("./data-directory.ts");
    await (await createJournal(directory, 3, 2)).file.close();
    const third = await openMap();
    expect(third.values()).toEqual({ a: "1", b: "2" });
    await third.set("c", "3");
    await third.store.close();
    const fourth = await openMap();
    expect(fourth.values()).toEqual({ a: "1", b: "2", c: "3" });
    expect(await fourth.payload("a")).toBe("payload");
    await fourth.store.close();
  });
});
