import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { endLeftovers, rememberProcesses } from "./leftovers.ts";

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "leftovers-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

async function child() {
  const sleeper = spawn("sleep", ["60"]);
  await once(sleeper, "spawn");
  return { sleeper, pid: sleeper.pid ?? 0 };
}

test("the children of the last launcher are waited for, and named when that takes long", async () => {
  const { sleeper, pid } = await child();
  await rememberProcesses(dataDir, [{ name: "socket-host-1", pid }]);
  const lines: string[] = [];
  let hasEnded = false;
  const ended = endLeftovers(dataDir, (line) => lines.push(line)).then(() => (hasEnded = true));
  await vi.waitUntil(() => lines.length > 0, { timeout: 5000 });
  expect(lines).toEqual([`waiting for the last run to end: socket-host-1 (${pid})`]);
  expect(hasEnded).toBe(false);
  sleeper.kill("SIGKILL");
  await ended;
});

test("a stranger that has the pid of a former child by now is not waited for", async () => {
  const { sleeper, pid } = await child();
  const list = [{ name: "api", pid, birth: "another boot/1" }];
  await writeFile(join(dataDir, "processes.json"), JSON.stringify(list));
  await endLeftovers(dataDir, (line) => expect.fail(line));
  expect(sleeper.exitCode).toBeNull();
  sleeper.kill("SIGKILL");
});

test.each([undefined, "", "[{"])("a list that is missing or damaged (%j) holds nobody up", async (content) => {
  if (content !== undefined) await writeFile(join(dataDir, "processes.json"), content);
  await endLeftovers(dataDir, (line) => expect.fail(line));
});
