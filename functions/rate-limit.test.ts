import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { testDatabase } from "../local/testing/test-database.ts";
import type { Database } from "../shared/db/pool.ts";
import { budgetHeaders, createRateLimiter } from "./rate-limit.ts";

const database = await testDatabase();
beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: Date.parse("2026-11-22T04:30:20Z") }));
afterEach(() => vi.useRealTimers());

let subjects = 0;
const newSubject = () => `tok_${subjects++}`;
const spend = async (limiter: ReturnType<typeof createRateLimiter>, subject: string, times: number) => {
  let allowed = 0;
  for (let n = 0; n < times; n++) if (!(await limiter(subject)).isSpent) allowed++;
  return allowed;
};
/** Counts the statements that go to the database. */
function watched() {
  let statements = 0;
  const execute = (...values: Parameters<Database["pool"]["execute"]>) => {
    statements++;
    return database.pool.execute(...values);
  };
  return { database: { pool: { execute } } as unknown as Database, statements: () => statements };
}

describe("a caller", () => {
  test("may ask so often in a minute, and again in the next", async () => {
    const limiter = createRateLimiter(database, 5);
    const subject = newSubject();
    expect(await spend(limiter, subject, 8)).toBe(5);
    const budget = await limiter(subject);
    expect(budget).toEqual({ limit: 5, remaining: 0, resetsInSeconds: 40, isSpent: true });
    expect(budgetHeaders(budget)).toEqual({ "RateLimit-Policy": '"minute";q=5;w=60', RateLimit: '"minute";r=0;t=40' });
    vi.setSystemTime(Date.parse("2026-11-22T04:31:00Z"));
    expect(await spend(limiter, subject, 8)).toBe(5);
  });

  test("does not spend another's budget", async () => {
    const limiter = createRateLimiter(database, 5);
    const [one, other] = [newSubject(), newSubject()];
    expect(await spend(limiter, one, 8)).toBe(5);
    expect(await spend(limiter, other, 5)).toBe(5);
  });

  test("has one budget in all processes together, to the last request where it is small", async () => {
    const subject = newSubject();
    const processes = Array.from({ length: 4 }, () => createRateLimiter(database, 20));
    const allowed = await Promise.all(processes.map((limiter) => spend(limiter, subject, 20)));
    const sum = allowed.reduce((total, count) => total + count, 0);
    // Of requests at the same instant each process may take its last one for one too many.
    expect(sum).toBeGreaterThan(20 - processes.length);
    expect(sum).toBeLessThanOrEqual(20);
  });

  test("gets at most a hundredth of a large limit too much from each process", async () => {
    const subject = newSubject();
    const processes = Array.from({ length: 4 }, () => createRateLimiter(database, 1_000));
    let allowed = 0;
    for (let round = 0; round < 300; round++) {
      for (const limiter of processes) if (!(await limiter(subject)).isSpent) allowed++;
    }
    expect(allowed).toBeGreaterThanOrEqual(1_000);
    expect(allowed).toBeLessThanOrEqual(1_040);
  });
});

test("few requests cost the database nothing, many one round trip in a hundredth of the limit", async () => {
  const { database, statements } = watched();
  const limiter = createRateLimiter(database, 6_000);
  await spend(limiter, newSubject(), 59);
  expect(statements()).toBe(0);
  await spend(limiter, newSubject(), 600);
  expect(statements()).toBe(20);
});
