import { expect, test } from "vitest";
import type { Storage } from "../../shared/storage.ts";
import { decodeEntry, encodeEntry } from "./log-entry.ts";
import { decodeHead } from "./log-head.ts";
import type { Head } from "./log-head.ts";
import { seal, unseal } from "./seal.ts";
import { SIMULATION_KEY } from "./testing/log-simulation.ts";
import { simulateLogs } from "./testing/simulate-logs.ts";

/** `npm run soak:log` runs a million. A seed that fails runs alone with `npm run soak:log -- --first SEED --count 1`. */
const SCHEDULES = 10_000;
const ENOUGH_TO_CATCH = 2_000;

const isEntry = (key: string) => key.startsWith("log/");

test("over random schedules nothing acknowledged is lost, no epoch goes back and nobody is fenced without cause", async () => {
  const { faults, ...counts } = await simulateLogs(1, SCHEDULES);
  process.stdout.write(`${JSON.stringify(counts)}\n`);
  expect(faults).toEqual([]);
  expect(counts).toMatchObject({ schedules: SCHEDULES });
  expect(counts.snapshots).toBeGreaterThan(SCHEDULES);
  expect(counts.fencings).toBeGreaterThan(SCHEDULES);
  expect(counts.wipes).toBeGreaterThan(SCHEDULES / 50);
}, 180_000);

/** Each takes one stone out of the protocol. */
const BREAKS: [string, RegExp, (bucket: Storage) => Partial<Storage>][] = [
  [
    "an entry is written whether or not its number is taken",
    /does not see/,
    (bucket) => ({
      async createIfAbsent(key, body) {
        if (isEntry(key)) await bucket.delete([key]);
        return await bucket.createIfAbsent(key, body);
      },
    }),
  ],
  [
    "a refused append is believed without a look at who wrote the entry",
    /was fenced by an append without a cause/,
    (bucket) => {
      const refused = new Set<string>();
      return {
        async createIfAbsent(key, body) {
          const outcome = await bucket.createIfAbsent(key, body);
          if (isEntry(key) && outcome === "exists") refused.add(key);
          return outcome;
        },
        get: async (key) => (refused.delete(key) ? undefined : await bucket.get(key)),
      };
    },
  ],
  [
    "entries that a snapshot covers are deleted, and their numbers become free",
    /does not see/,
    (bucket) => ({
      async replaceIf(key, body, etag) {
        const replaced = await bucket.replaceIf(key, body, etag);
        const last = String(headOf(body)?.snapSeq).padStart(12, "0");
        const entries = await bucket.list("log/");
        if (replaced !== "changed") await bucket.delete(entries.filter((name) => name.slice(-12) <= last));
        return replaced;
      },
    }),
  ],
  [
    "an entry is said to repeat one more than it does",
    /does not see/,
    (bucket) => ({
      async get(key) {
        const object = await bucket.get(key);
        if (!object || !isEntry(key)) return object;
        const { repeats = 0, ...entry } = decodeEntry(unseal(SIMULATION_KEY, key, object.body));
        return { ...object, body: seal(SIMULATION_KEY, key, encodeEntry({ ...entry, repeats: repeats + 1 })) };
      },
    }),
  ],
  [
    "the epochs of the entries and of HEAD are not looked at",
    /the epoch goes back/,
    (bucket) => ({
      async get(key) {
        const object = await bucket.get(key);
        if (!object || !isEntry(key)) return object && { ...object, body: withoutEpoch(object.body) };
        const entry = decodeEntry(unseal(SIMULATION_KEY, key, object.body));
        return { ...object, body: seal(SIMULATION_KEY, key, encodeEntry({ ...entry, epoch: 0 })) };
      },
    }),
  ],
];

test.each(BREAKS)(
  "the simulation notices when %s",
  async (_, expected, broken) => {
    const view = (bucket: Storage): Storage => Object.assign(Object.create(bucket) as Storage, broken(bucket));
    const { faults } = await simulateLogs(1, ENOUGH_TO_CATCH, view);
    expect(faults.join("\n")).toMatch(expected);
  },
  60_000,
);

function withoutEpoch(body: Buffer): Buffer {
  const head = headOf(body);
  return head ? Buffer.from(JSON.stringify({ format: 1, ...head, epoch: 0 })) : body;
}

function headOf(body: Buffer): Head | undefined {
  const head = decodeHead(body);
  return typeof head === "string" ? undefined : head;
}
