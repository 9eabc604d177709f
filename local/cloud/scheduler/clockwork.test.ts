import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { KeyLocks } from "../key-locks.ts";
import { Queues } from "../sqs/queues.ts";
import type { SqsRecord } from "../sqs/records.ts";
import { StorageError } from "../store/journal.ts";
import { Store } from "../store/store.ts";
import { Clockwork } from "./clockwork.ts";
import type { SchedulerContext } from "./context.ts";
import { dueAt } from "./due-at.ts";
import type { SchedulerRecord, StoredSchedule } from "./records.ts";
import { Schedules } from "./schedules.ts";

let directory: string;
let store: Store<SqsRecord | SchedulerRecord>;
let context: SchedulerContext;
let clockwork: Clockwork | undefined;
const failures: unknown[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "clockwork-"));
  const queues = new Queues(Date.now);
  const schedules = new Schedules(Date.now, "second");
  store = await Store.open<SqsRecord | SchedulerRecord>({
    directory,
    format: 1,
    state: {
      apply: (record, payload) => {
        if (record.type.startsWith("scheduler.")) schedules.apply(record as SchedulerRecord, payload);
        else queues.apply(record as SqsRecord, payload);
      },
      capture: () => [...queues.capture(), ...schedules.capture()],
    },
    compactAfterBytes: 1_000_000,
    onBroken: (error) => failures.push(error),
    onCompactionFailed: (error) => failures.push(error),
  });
  const commit = (transaction: Parameters<SchedulerContext["commit"]>[0]) => store.commit(transaction);
  context = { schedules, queues, locks: new KeyLocks(), commit, now: Date.now, region: "us-east-1" };
  const queue = { type: "sqs.queue" as const, createdAt: 0, modifiedAt: 0 };
  const Attributes = { FifoQueue: "true", ContentBasedDeduplication: "true" };
  await commit({ records: [{ ...queue, name: "q.fifo", attributes: Attributes }] });
});
afterEach(async () => {
  await clockwork?.stop();
  await store.close();
  await rm(directory, { recursive: true });
  failures.length = 0;
});

function schedule(name: string, nextAt: number, windowMinutes = 0): StoredSchedule {
  return {
    group: "default",
    name,
    createdAt: 0,
    modifiedAt: 0,
    anchor: 0,
    nextAt,
    definition: {
      expression: `at(${new Date(nextAt).toISOString().slice(0, 19)})`,
      zone: "UTC",
      state: "ENABLED",
      windowMinutes,
      afterCompletion: "DELETE",
      target: {
        arn: "arn:aws:sqs:us-east-1:000000000000:q.fifo",
        roleArn: "arn:aws:iam::000000000000:role/r",
        messageGroupId: "g",
        maximumAgeSeconds: 60,
        maximumRetries: 0,
      },
    },
  };
}

async function add(stored: StoredSchedule): Promise<void> {
  await context.commit({ records: [{ type: "scheduler.schedule", ...stored }], payload: Buffer.from(stored.name) });
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(condition()).toBe(true);
}

const bodies = async () => {
  const messages = [...(context.queues.byName.get("q.fifo")?.messages.values() ?? [])];
  const payloads = messages.map(({ payload: { file, offset, length } }) => file.read(offset, length));
  return (await Promise.all(payloads)).map((payload) => payload.toString());
};

it("waits when the disk is full, and then goes on in the same order", async () => {
  const past = Date.now() - 100_000;
  const names = Array.from({ length: 100 }, (_, index) => `schedule-${index}`);
  for (const [index, name] of names.entries()) await add(schedule(name, past + index * 1000));
  const { commit } = context;
  let full = true;
  const commitWhenThereIsRoom: SchedulerContext["commit"] = async (transaction) => {
    if (full) throw new StorageError("no space left on device");
    return commit(transaction);
  };
  clockwork = new Clockwork(
    { ...context, commit: commitWhenThereIsRoom },
    { host: "127.0.0.1", onFailure: (error) => failures.push(error) },
  );
  await until(() => failures.length > 0);
  full = false;
  await until(() => context.schedules.size === 0);
  expect(await bodies()).toEqual(names);
  // Not one for each schedule.
  expect(failures.length).toBeLessThan(3);
});

it("invokes many that are due together, each once and in the order in which they were due", async () => {
  const past = Date.now() - 10_000_000;
  const names = Array.from({ length: 2_000 }, (_, index) => `schedule-${index}`);
  await Promise.all(names.map((name, index) => add(schedule(name, past + index * 1000))));
  clockwork = new Clockwork(context, { host: "127.0.0.1", onFailure: (error) => failures.push(error) });
  await until(() => context.schedules.size === 0);
  expect(await bodies()).toEqual(names);
  expect(failures).toEqual([]);
});

it("finds the inputs again after a compaction has moved them", async () => {
  const past = Date.now() - 100_000;
  const names = Array.from({ length: 20 }, (_, index) => `${index} ${"x".repeat(100_000)}`);
  for (const [index, name] of names.entries()) await add(schedule(name, past + index * 1000));
  const journals = async () => (await readdir(directory)).filter((name) => name.startsWith("journal-"));
  const deadline = Date.now() + 10_000;
  while ((await journals()).includes("journal-00000001") && Date.now() < deadline) await store.commit({ records: [] });
  expect(await journals()).not.toContain("journal-00000001");
  clockwork = new Clockwork(context, { host: "127.0.0.1", onFailure: (error) => failures.push(error) });
  await until(() => context.schedules.size === 0);
  expect(await bodies()).toEqual(names);
});

it("does not keep what is out of date in its agenda for ever", async () => {
  const far = Date.now() + 1_000_000;
  for (let index = 0; index < 3_000; index += 1) {
    context.schedules.apply({ type: "scheduler.schedule", ...schedule("often-changed", far - index) }, undefined);
  }
  expect(context.schedules.agendaEntries).toBeLessThan(1_100);
  expect(context.schedules.nextDueAt).toBeLessThanOrEqual(far - 2_999);
});

it("does not keep what was deleted until it would have been due", () => {
  const { schedules } = context;
  const names = Array.from({ length: 3_000 }, (_, index) => `schedule-${index}`);
  for (const name of names) {
    schedules.apply({ type: "scheduler.schedule", ...schedule(name, Date.now() + 1e9) }, undefined);
  }
  expect(schedules.agendaEntries).toBe(3_000);
  for (const name of names) schedules.apply({ type: "scheduler.deleted", group: "default", name }, undefined);
  expect(schedules.agendaEntries).toBeLessThan(1_100);
});

it("with the precision of a minute, invokes somewhere in that minute, always at the same moment", () => {
  const minute = Date.UTC(2026, 0, 1, 10, 30);
  const moments = Array.from(
    { length: 200 },
    (_, index) => dueAt(schedule(`s-${index}`, minute + 45_000), "minute") ?? 0,
  );
  for (const moment of moments) {
    expect(moment).toBeGreaterThanOrEqual(minute);
    expect(moment).toBeLessThan(minute + 60_000);
  }
  expect(Math.max(...moments) - Math.min(...moments)).toBeGreaterThan(50_000);
  expect(dueAt(schedule("s-0", minute + 45_000), "minute")).toBe(moments[0]);
  expect(dueAt(schedule("s-0", minute + 45_000), "second")).toBe(minute + 45_000);
});
