import { beforeAll, expect, test } from "vitest";
import { testDatabase } from "../../local/testing/test-database.ts";
import { execute, openDatabase, transaction } from "./pool.ts";
import type { Database } from "./pool.ts";

const HOUR_SECONDS = 3_600;

let database: Database & { url: string };
beforeAll(async () => {
  database = await testDatabase();
  await execute(database.pool, "CREATE TABLE locked (id INT PRIMARY KEY, value INT) ENGINE=InnoDB");
  await execute(database.pool, "INSERT INTO locked VALUES (1, 0), (2, 0)");
});

const write = (on: Database, id: number) => execute(on.pool, "UPDATE locked SET value = value + 1 WHERE id = ?", [id]);

/** Locks a row in a transaction that goes on only when it is let. */
async function freezeIn(abandonedAfterSeconds: number, id: number) {
  const frozen = openDatabase({ url: database.url, poolSize: 2 }, abandonedAfterSeconds);
  let thaw = () => {};
  const thawed = new Promise<void>((resolve) => (thaw = resolve));
  let isLocked = () => {};
  const locked = new Promise<void>((resolve) => (isLocked = resolve));
  const work = transaction(frozen, async (runner) => {
    await execute(runner, "UPDATE locked SET value = value + 10 WHERE id = ?", [id]);
    isLocked();
    await thawed;
  });
  await locked;
  return { thaw, work, close: () => frozen.close() };
}

test("a process that is frozen in a transaction loses its locks, and the transaction", async () => {
  const { thaw, work, close } = await freezeIn(1, 1);
  await expect(write(database, 1)).resolves.toBe(1);
  thaw();
  await expect(work).rejects.toThrow();
  await close();
});

test("a transaction that is merely slow keeps them", async () => {
  const { thaw, work, close } = await freezeIn(HOUR_SECONDS, 2);
  const writing = write(database, 2);
  const first = await Promise.race([
    writing.then(() => "the other"),
    execute(database.pool, "DO SLEEP(2)").then(() => "time"),
  ]);
  expect(first).toBe("time");
  thaw();
  await work;
  expect(await writing).toBe(1);
  await close();
});
