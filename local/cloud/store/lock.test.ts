import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { acquireLock, LockedError } from "./lock.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lock-"));
});
afterEach(() => rm(directory, { recursive: true }));

const path = () => join(directory, "lock");
const acquire = () => acquireLock(directory, () => undefined);
const writeHolder = (holder: object) =>
  writeFile(path(), JSON.stringify({ host: hostname(), born: "", token: "x", ...holder }));

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  return child.pid ?? 0;
}

it("is held by one, and free again when released", async () => {
  const lock = await acquire();
  await expect(acquire()).rejects.toThrow(`the data directory is in use by process ${process.pid} on ${hostname()}`);
  await lock.release();
  await (await acquire()).release();
  expect(await readdir(directory)).toEqual([]);
});

it("goes to one of many who want it at once", async () => {
  await writeHolder({ pid: await deadPid() });
  const attempts = await Promise.allSettled(Array.from({ length: 20 }, acquire));
  const held = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
  expect(held).toHaveLength(1);
  for (const attempt of attempts) if (attempt.status === "rejected") expect(attempt.reason).toBeInstanceOf(LockedError);
  await held[0]?.release();
});

it("is taken over from a process that is dead", async () => {
  await writeHolder({ pid: await deadPid() });
  await (await acquire()).release();
});

it("is taken over from a process whose pid now belongs to another", async () => {
  await writeHolder({ pid: process.pid, born: "another boot/1" });
  await (await acquire()).release();
});

it("is not taken from another machine while that one refreshes it", async () => {
  await writeHolder({ pid: 1, host: "elsewhere" });
  await expect(acquire()).rejects.toThrow("in use by process 1 on elsewhere");
  const longAgo = new Date(Date.now() - 21_000);
  await utimes(path(), longAgo, longAgo);
  await (await acquire()).release();
});

it("is not removed at release when somebody else has it by then", async () => {
  const lock = await acquire();
  await writeHolder({ pid: 1 });
  await lock.release();
  expect(JSON.parse(await readFile(path(), "utf8"))).toMatchObject({ pid: 1 });
});
