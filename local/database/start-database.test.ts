import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql from "mysql2/promise";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isAlive } from "../testing/is-alive.ts";
import { startDatabase } from "./start-database.ts";

const LAUNCHER = new URL("../testing/database-launcher.ts", import.meta.url);
const DEADLINE = { timeout: 10_000, interval: 20 };

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "database test "));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

async function query(url: string, sql: string): Promise<unknown> {
  const connection = await mysql.createConnection(url);
  const [rows] = await connection.query(sql);
  await connection.end();
  return rows;
}
const writeRow = async (url: string) => {
  await query(url, "CREATE TABLE notes (text VARCHAR(20)) ENGINE=InnoDB");
  await query(url, "INSERT INTO notes VALUES ('kept')");
};

test("a database that was stopped and started again has its rows, through a pool too", async () => {
  const first = await startDatabase({ dataDir });
  await writeRow(first.url);
  await first.dispose();
  expect(isAlive(first.pid)).toBe(false);

  const second = await startDatabase({ dataDir });
  expect(second.url).toBe(first.url);
  const pool = mysql.createPool({ uri: second.url });
  const [rows] = await pool.query("SELECT text, DATABASE() AS name FROM notes");
  expect(rows).toEqual([{ text: "kept", name: "whatsapp" }]);
  await pool.end();
  await second.dispose();
});

test("a database that was killed with SIGKILL says so, and comes back with what was committed", async () => {
  const first = await startDatabase({ dataDir });
  await writeRow(first.url);
  process.kill(first.pid, "SIGKILL");
  expect(await first.exited).toBe("SIGKILL");

  const second = await startDatabase({ dataDir });
  expect(await query(second.url, "SELECT text FROM notes")).toEqual([{ text: "kept" }]);
  await second.dispose();
});

test("a database ends when its launcher is killed with SIGKILL", async () => {
  const launcher = fork(LAUNCHER, [dataDir], { execArgv: ["--import", "tsx"] });
  const [{ pid, url }] = (await once(launcher, "message")) as [{ pid: number; url: string }];
  await writeRow(url);
  launcher.kill("SIGKILL");
  await vi.waitUntil(() => !isAlive(pid), DEADLINE);

  const second = await startDatabase({ dataDir });
  expect(await query(second.url, "SELECT text FROM notes")).toEqual([{ text: "kept" }]);
  await second.dispose();
});

test("a data directory whose path is too long for a socket works, at the same address each time", async () => {
  const deep = join(dataDir, "d".repeat(120));
  const first = await startDatabase({ dataDir: deep });
  expect(await query(first.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  await first.dispose();
  const second = await startDatabase({ dataDir: deep });
  expect(second.url).toBe(first.url);
  await second.dispose();
});

test("a first start that was killed half-way leaves nothing in the way of the next", async () => {
  await mkdir(join(dataDir, "mysql.init"));
  await writeFile(join(dataDir, "mysql.init", "ibdata1"), "half");
  const database = await startDatabase({ dataDir });
  expect(await query(database.url, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
  await database.dispose();
});

test("a server that cannot start is reported in one line with the place of its log", async () => {
  await mkdir(join(dataDir, "mysql"));
  await expect(startDatabase({ dataDir })).rejects.toThrow(/^the database ended while starting \(.+\); see .+\.log$/);
});
