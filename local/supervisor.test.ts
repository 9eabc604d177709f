import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { startNodeProcess } from "./node-process.ts";
import { buildPrograms } from "./programs.ts";
import type { Programs } from "./programs.ts";
import { createSupervisor } from "./supervisor.ts";
import type { NamedProcess, Supervisor } from "./supervisor.ts";
import { isAlive } from "./testing/is-alive.ts";

const LAUNCHER = new URL("testing/supervising-launcher.ts", import.meta.url);
const DEADLINE = { timeout: 15_000, interval: 20 };

const source = (name: string) => `local/testing/children/${name}.ts`;

let logs: string;
let programs: Programs;
let lines: string[];
let changes: NamedProcess[][];
let supervisor: Supervisor;
beforeAll(async () => {
  logs = await mkdtemp(join(tmpdir(), "supervisor-"));
  programs = await buildPrograms(["obedient", "failing"].map(source), join(logs, "programs"));
});
beforeEach(() => {
  lines = [];
  changes = [];
  supervisor = createSupervisor({ report: (line) => lines.push(line), onChange: (now) => changes.push(now) });
});
afterAll(() => rm(logs, { recursive: true, force: true }));

const launch = (name: string, file = "obedient") =>
  startNodeProcess({
    name,
    program: programs(source(file)),
    args: [],
    environment: process.env,
    logs,
    stopDeadlineMs: 1000,
  });

test("a child that was killed is started again, which is reported, and its new pid is known", async () => {
  const first = await supervisor.start("part", () => launch("part"));
  supervisor.kill("part", "SIGKILL");
  await vi.waitUntil(() => supervisor.processes().some(({ pid }) => pid !== first.pid), DEADLINE);
  const [second] = supervisor.processes();
  expect(lines).toEqual(["part ended unexpectedly (SIGKILL) and is started again"]);
  expect(changes).toEqual([[{ name: "part", pid: first.pid }], [], [second]]);
  await supervisor.stop("part");
  expect(isAlive(second?.pid ?? 0)).toBe(false);
});

test("a child that cannot be started again is tried until it can, each time after a longer while", async () => {
  const attempts: number[] = [];
  await supervisor.start("part", async () => {
    attempts.push(Date.now());
    if (attempts.length === 2) throw new Error("part did not start: the port is in use");
    return launch("part");
  });
  supervisor.kill("part", "SIGKILL");
  await vi.waitUntil(() => attempts.length === 3 && supervisor.processes().length === 1, DEADLINE);
  const [, second = 0, third = 0] = attempts;
  // 100 ms, as far as two clocks agree.
  expect(third - second).toBeGreaterThan(95);
  expect(lines.at(-1)).toBe("part did not start: the port is in use");
  await supervisor.stop("part");
});

test("a child that is killed again and again is started at once, one that keeps ending is not", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  try {
    let starts = 0;
    let end = (_how: string) => {};
    await supervisor.start("part", async () => {
      starts++;
      const exited = new Promise<string>((resolve) => {
        end = resolve;
      });
      return { pid: starts, exited, stop: async () => end("SIGTERM") };
    });
    const startsWithin = async (ms: number, how: string) => {
      end(how);
      await vi.advanceTimersByTimeAsync(ms);
      return starts;
    };
    for (const count of [2, 3, 4]) expect(await startsWithin(0, "SIGKILL")).toBe(count);
    expect(await startsWithin(100, "exit code 1")).toBe(5);
    expect(await startsWithin(100, "exit code 1")).toBe(5);
    await vi.advanceTimersByTimeAsync(100);
    expect(starts).toBe(6);
    await supervisor.stop("part");
  } finally {
    vi.useRealTimers();
  }
});

test("a child that was stopped stays down, also when it had just died", async () => {
  const child = await supervisor.start("part", () => launch("part"));
  supervisor.kill("part", "SIGKILL");
  await child.exited;
  await supervisor.stop("part");
  expect(supervisor.processes()).toEqual([]);
  expect(() => supervisor.kill("part", "SIGTERM")).toThrow("no process part is running");
});

test("a first start that fails is the caller's", async () => {
  await expect(supervisor.start("part", () => launch("part", "failing"))).rejects.toThrow("part did not start");
  expect(supervisor.processes()).toEqual([]);
  expect(lines).toEqual([]);
});

test("no child outlives a launcher that was killed with SIGKILL", async () => {
  const launcher = fork(LAUNCHER, { execArgv: ["--import", "tsx"] });
  const [told] = (await once(launcher, "message")) as [{ logs: string; processes: NamedProcess[] }];
  expect(told.processes.map(({ pid }) => isAlive(pid))).toEqual([true, true]);
  launcher.kill("SIGKILL");
  await vi.waitUntil(() => !told.processes.some(({ pid }) => isAlive(pid)), DEADLINE);
  await rm(told.logs, { recursive: true });
});
