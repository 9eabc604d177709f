import { beforeAll, beforeEach, expect, test } from "vitest";
import { testDatabase } from "../local/testing/test-database.ts";
import { execute } from "../shared/db/pool.ts";
import type { Database } from "../shared/db/pool.ts";
import { createLog } from "../shared/log.ts";
import { LoginBudget } from "./login-budget.ts";

const log = createLog("test", "silent");
let database: Database;
beforeAll(async () => {
  database = await testDatabase();
});
beforeEach(async () => {
  await execute(database.pool, "UPDATE login_budget SET next_at = NOW(6)");
});

/** Resolves with the milliseconds since `start` at which each was granted. */
const times = (tickets: { granted: Promise<void> }[], start: number) =>
  Promise.all(tickets.map(({ granted }) => granted.then(() => performance.now() - start)));

test("those that nobody waits for come one by one, a person goes past them, and who leaves holds nobody up", async () => {
  const budget = new LoginBudget({ database, staggerMs: 1_000, loginsPerSecond: 1000, log });
  const start = performance.now();
  const line = Array.from({ length: 4 }, () => budget.take("in line"));
  const person = budget.take("urgent");
  line[3]?.hurry();
  line[1]?.leave();
  const [urgent = 0, first = 0, left = 0, third = 0, hurried = 0] = await times([person, ...line], start);
  expect(third - first).toBeGreaterThanOrEqual(995);
  expect(third - first).toBeLessThan(1_995);
  expect(Math.max(left, hurried, urgent)).toBeLessThan(third);
});

test("those that were connected a moment ago go first and need no pause, at the fleet's pace", async () => {
  const budget = new LoginBudget({ database, staggerMs: 1_000, loginsPerSecond: 100, log });
  const start = performance.now();
  const line = [budget.take("in line"), budget.take("in line")];
  const resumed = Array.from({ length: 70 }, () => budget.take("resumed"));
  const [[, second = 0], granted] = await Promise.all([times(line, start), times(resumed, start)]);
  const last = Math.max(...granted);
  expect(last).toBeGreaterThanOrEqual(20 * 10 - 25);
  expect(second).toBeGreaterThan(last + 900);
});

test("two hosts together keep to the pace of the fleet", async () => {
  const host = () => new LoginBudget({ database, staggerMs: 0, loginsPerSecond: 20, log });
  const [one, other] = [host(), host()];
  const start = performance.now();
  const tickets = Array.from({ length: 6 }, (_, n) => (n % 2 ? one : other).take("in line"));
  const granted = (await times(tickets, start)).toSorted((a, b) => a - b);
  expect(granted.at(-1)).toBeGreaterThanOrEqual(5 * 50 - 5);
});

test("without a database nobody waits", async () => {
  const away = { ...database, pool: { execute: () => Promise.reject(new Error("away")) } } as unknown as Database;
  await new LoginBudget({ database: away, staggerMs: 0, loginsPerSecond: 1, log }).take("in line").granted;
});
