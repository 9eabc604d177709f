import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startNodeProcess } from "./node-process.ts";
import { buildPrograms } from "./programs.ts";
import type { Programs } from "./programs.ts";
import { isAlive } from "./testing/is-alive.ts";

const source = (name: string) => `local/testing/children/${name}.ts`;

let logs: string;
let programs: Programs;
beforeAll(async () => {
  logs = await mkdtemp(join(tmpdir(), "node process "));
  programs = await buildPrograms(["obedient", "deaf", "failing"].map(source), join(logs, "programs"));
});
afterAll(() => rm(logs, { recursive: true, force: true }));

const start = (name: string, args: string[] = [], stopDeadlineMs = 5000) =>
  startNodeProcess({
    name,
    program: programs(source(name)),
    args,
    environment: process.env,
    logs,
    stopDeadlineMs,
  });

test("a child that is ready gives its message, and ends when it is stopped", async () => {
  const child = await start("obedient", ["4711"]);
  expect(child.ready).toEqual({ type: "ready", url: "http://127.0.0.1:4711", pid: child.pid });
  await child.stop();
  expect(await child.exited).toBe("exit code 0");
  expect(isAlive(child.pid)).toBe(false);
});

test("a child that does not listen is killed when its time is over", async () => {
  const child = await start("deaf", [], 200);
  await child.stop();
  expect(await child.exited).toBe("SIGKILL");
});

test("a child that hangs, stopped by a signal, still ends in order", async () => {
  const child = await start("obedient");
  process.kill(child.pid, "SIGSTOP");
  await child.stop();
  expect(await child.exited).toBe("exit code 0");
});

test("a child that says why it cannot start is quoted", async () => {
  await expect(start("failing", ["told"])).rejects.toThrow("failing did not start: port 4000 is in use");
});

test("a child that ends by an error is reported by that error in one line, with the place of its log", async () => {
  const failure = await start("failing").catch((error: Error) => error.message);
  expect(failure).toMatch(
    /^failing did not start: exit code 1: TypeError: the settings are wrong \(log: .+failing.log\)$/,
  );
  expect(await readFile(join(logs, "failing.log"), "utf8")).toContain("failing.ts");
});
