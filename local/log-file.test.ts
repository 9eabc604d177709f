import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLogFile, rotateLogs } from "./log-file.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "logs-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("a log is readable by its owner only, and is appended to", async () => {
  for (const line of ["one\n", "two\n"]) {
    const log = await openLogFile(join(directory, "api.log"));
    await log.write(line);
    await log.close();
  }
  expect(await readFile(join(directory, "api.log"), "utf8")).toBe("one\ntwo\n");
  expect((await stat(join(directory, "api.log"))).mode & 0o777).toBe(0o600);
});

test("a log that has grown large is put aside while its writer goes on", async () => {
  const log = await openLogFile(join(directory, "api.log"));
  await log.write(Buffer.alloc(21 * 2 ** 20, "x"));
  await rotateLogs(directory);
  await log.write("next\n");
  await log.close();
  expect(await readFile(join(directory, "api.log"), "utf8")).toBe("next\n");
  expect((await stat(join(directory, "api.log.1"))).size).toBe(21 * 2 ** 20);
});

test("a small log stays as it is", async () => {
  const log = await openLogFile(join(directory, "api.log"));
  await log.write("line\n");
  await log.close();
  await rotateLogs(directory);
  expect(await readFile(join(directory, "api.log"), "utf8")).toBe("line\n");
});
