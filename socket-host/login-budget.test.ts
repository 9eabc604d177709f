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
  const line = Array.from({ length: 4 }, () => budget.take(false));
  const person = budget.take(true);
  line[3]?.hurry();
  line[1]?.leave();
  const [urgent = 0, first = 0, left = 0, third = 0, hurried = 0] = await times([person, ...line], start);
  expect(third - first).toBeGreaterThanOrEqual(995);
  expect(third - first).toBeLessThan(1_995);
  expect(Math.max(left, hurried, urgent)).toBeLessThan(third);
});

test("two hosts together keep to the pace of the fleet", async () => {
  const host = () => new LoginBudget({ database, staggerMs: 0, loginsPerSecond: 20, log });
  const [one, other] = [host(), host()];
  const start = performance.now();
  const tickets = Array.from({ length: 6 }, (_, n) => (n % 2 ? one : other).take(false));
  const granted = (await times(tickets, start)).toSorted((a, b) => a - b);
  expect(granted.at(-1)).toBeGreaterThanOrEqual(5 * 50 - 5);
});

test("without a database nobody waits", async () => {
  const away = { ...database, pool: { execute: () => Promise.reject(new Error("away")) } } as unknown as Database;
  await new LoginBudget({ database: away, staggerMs: 0, loginsPerSecond: 1, log }).take(false).granted;
});
