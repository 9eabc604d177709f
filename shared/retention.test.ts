import { afterAll, beforeAll, expect, it } from "vitest";
import { testDatabase, testUser } from "../local/testing/test-database.ts";
import * as commands from "./db/commands.ts";
import * as devices from "./db/devices.ts";
import * as events from "./db/events.ts";
import * as jobs from "./db/jobs.ts";
import * as messages from "./db/messages.ts";
import { execute, select, transaction } from "./db/pool.ts";
import type { Database } from "./db/pool.ts";
import { eventExamples } from "./event-examples.ts";
import { newCommandId, newJobId } from "./ids.ts";
import type { DeviceId } from "./ids.ts";
import { keepResult } from "./results.ts";
import { enforceRetention } from "./retention.ts";
import { startTestBucket } from "./testing/test-bucket.ts";

const DAY_MS = 86_400_000;
const deviceId = "retention" as DeviceId;
const bucket = await startTestBucket();
afterAll(() => bucket.end());
let database: Database;

const TABLES = ["messages", "events", "commands", "jobs", "job_items", "schedules"];
const counts = async () => {
  const found: Record<string, number | undefined> = {};
  for (const table of TABLES) {
    const [row] = await select<{ total: number }>(database.pool, `SELECT COUNT(*) AS total FROM ${table}`);
    found[table] = row?.total;
  }
  return { ...found, results: (await bucket.storage.list("results/")).length };
};
const ALL = { messages: 1, events: 1, commands: 2, jobs: 2, job_items: 2, schedules: 1, results: 1 };
const after = (days: number, kept = { historyDays: 90, eventDays: 30, commandDays: 30 }) =>
  enforceRetention({ database, media: bucket.storage, now: Date.now() + days * DAY_MS }, kept);

beforeAll(async () => {
  database = await testDatabase();
  const userId = await testUser(database);
  await devices.create(database, { deviceId, userId, deviceName: null }, 1);
  const payload = { kind: "send-text", to: "6281234567890@s.whatsapp.net", text: "halo" } as const;
  for (const isFinished of [true, false]) {
    const commandId = newCommandId();
    await commands.create(database, { commandId, deviceId, userId, payload, messageId: null });
    if (isFinished) await commands.finish(database.pool, commandId, 1, { state: "done", result: {} });
    const jobId = newJobId();
    await jobs.create(database, { jobId, deviceId, userId, type: "send-text", delayMs: 0, items: [payload] });
    if (isFinished) await execute(database.pool, "UPDATE jobs SET state = 'completed' WHERE job_id = ?", [jobId]);
    if (isFinished) await keepResult(bucket.storage, commandId, { messages: ["halo"] });
  }
  const fact = { ...eventExamples["message.received"], dedupeKey: null, occurredAt: new Date() };
  await transaction(database, (runner) => events.append(runner, deviceId, 1, [fact]));
  const message = { messageId: "M1", chat: "c", sender: "1", receiver: "2", senderName: null, isOwn: false };
  const content = { messageType: "text", text: "halo" } as const;
  const row = { ...message, content, sentAt: new Date(), status: "received" as const };
  await messages.keep(database.pool, [{ sessionId: 1, message: row }]);
  const sql = `INSERT INTO schedules
    (schedule_id, device_id, user_id, recipient, wall_time, time_zone, due_at, state, ended_at)
    VALUES ('sch_000000000001', ?, ?, 'r', '2026-01-01 00:00:00', 'Asia/Jakarta', NOW(3), 'fired', NOW(3))`;
  await execute(database.pool, sql, [deviceId, userId]);
});

it("leaves everything that is younger than it is kept", async () => {
  await after(0);
  expect(await counts()).toEqual(ALL);
});

it("removes what has ended and is older, rows and objects, and nothing that has not ended", async () => {
  await after(2);
  expect(await counts()).toEqual({ ...ALL, results: 0 });
  await after(31);
  expect(await counts()).toEqual({
    messages: 1,
    events: 0,
    commands: 1,
    jobs: 1,
    job_items: 1,
    schedules: 0,
    results: 0,
  });
});

it("keeps messages for ever, unless a time is set", async () => {
  await after(3_650, { historyDays: 0, eventDays: 30, commandDays: 30 });
  expect(await counts()).toMatchObject({ messages: 1 });
  await after(91);
  expect(await counts()).toMatchObject({ messages: 0 });
});

it("tells a device's events apart from those that went", async () => {
  const fact = { ...eventExamples["message.received"], dedupeKey: null, occurredAt: new Date() };
  await transaction(database, (runner) => events.append(runner, deviceId, 1, [fact]));
  expect(await events.listAfter(database, deviceId, 0, 10)).toMatchObject([{ sequence: 2 }]);
});
