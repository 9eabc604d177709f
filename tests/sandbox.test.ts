import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import * as z from "zod";
import { REPOSITORY } from "../local/repository.ts";
import { isAlive } from "../local/testing/is-alive.ts";

const run = promisify(execFile);
const READY = { timeout: 60_000, interval: 50 };
const SOON = { timeout: 20_000, interval: 50 };

const runSchema = z.object({
  apiUrl: z.url(),
  token: z.string(),
  login: z.object({ username: z.literal("admin"), password: z.string() }),
  dashboardUrl: z.url(),
  simulatorUrl: z.url(),
  databaseUrl: z.string().startsWith("mysql://"),
  aws: z.object({ endpoint: z.url(), region: z.string(), accessKeyId: z.string(), secretAccessKey: z.string() }),
  processes: z.array(z.object({ name: z.string(), pid: z.number() })),
});

let dataDir: string;
let sandbox: ReturnType<typeof launch>;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "sandbox test "));
  sandbox = launch("--data", dataDir, "--port", "0");
  await vi.waitUntil(() => sandboxRunsWith(readRunFile), READY);
});
afterAll(async () => {
  sandbox.child.kill("SIGTERM");
  await sandbox.ended;
  await rm(dataDir, { recursive: true, force: true });
});

/** The command as a person runs it, from a folder that is not the checkout. */
function launch(...args: string[]) {
  const child = spawn(process.execPath, [join(REPOSITORY, "bin/run.mjs"), "sandbox", ...args], { cwd: tmpdir() });
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output.text += String(chunk)));
  const ended = once(child, "close").then(([code]) => code as number | null);
  return { child, output, ended };
}

/** There is no use in waiting for a sandbox that has ended: it has said why. */
async function sandboxRunsWith<T>(condition: () => Promise<T>): Promise<T> {
  if (sandbox.child.exitCode !== null) throw new Error(`the sandbox ended: ${sandbox.output.text}`);
  return condition();
}

async function readRunFile() {
  const text = await readFile(join(dataDir, "run.json"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : runSchema.parse(JSON.parse(text));
}

async function running() {
  const run = await readRunFile();
  if (!run) throw new Error("there is no run.json");
  return { ...run, pidOf: (name: string) => run.processes.find((process) => process.name === name)?.pid ?? 0 };
}

const isReady = async (apiUrl: string) =>
  fetch(`${apiUrl}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  );
const statusOf = async (apiUrl: string, token: string) => {
  const response = await fetch(`${apiUrl}/api/whatsapp-multi-device/devices`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return response.status;
};

test("run.json tells its owner where everything is, and what it tells is true", async () => {
  const run = await running();
  expect((await stat(join(dataDir, "run.json"))).mode & 0o777).toBe(0o600);
  const names = run.processes.map(({ name }) => name).toSorted();
  expect(names).toEqual(["api", "database", "deliverer", "local-cloud", "simulator", "socket-host-1"]);
  expect(run.processes.every(({ pid }) => isAlive(pid))).toBe(true);
  expect(await statusOf(run.apiUrl, run.token)).toBe(200);
  expect(await statusOf(run.apiUrl, "wag_wrong")).toBe(401);
  const login = await fetch(`${run.apiUrl}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(run.login),
  });
  expect(login.status).toBe(200);
  expect((await fetch(run.dashboardUrl)).status).toBe(200);
  expect((await fetch(`${run.simulatorUrl}/trust`)).status).toBe(200);
});

test("what is printed has the address, the token, and lines to paste", async () => {
  const { apiUrl, token, login } = await running();
  await vi.waitUntil(() => sandbox.output.text.includes("Ctrl-C"), SOON);
  for (const part of [apiUrl, token, `${login.username} / ${login.password}`, "send-message"]) {
    expect(sandbox.output.text).toContain(part);
  }
  expect(sandbox.output.text).not.toContain("Warning");
});

test("the printed lines, pasted into a shell, send a message that arrives", async ({ skip }) => {
  await vi.waitUntil(() => sandbox.output.text.includes("Ctrl-C"), SOON);
  const [, instructions = ""] = sandbox.output.text.split("To send a first message");
  const lines = instructions.split("\n").filter((line) => line.startsWith("  "));
  const { stdout } = await run("/bin/sh", ["-c", `command -v curl >/dev/null || exit 127\n${lines.join("\n")}`]).catch(
    (error: Error & { code?: number }) => {
      if (error.code === 127) skip("curl is not installed");
      throw error;
    },
  );
  expect(stdout).toContain('"message":"The message was sent"');
  expect(stdout).toMatch(/"text":"Hello Ana".*"copies":1/);
});

test("a second copy on the same data is refused in one line and leaves the first alone", async () => {
  const second = launch("--data", dataDir, "--port", "0");
  expect(await second.ended).toBe(1);
  expect(second.output.text).toMatch(/^the data directory is in use by process \d+ .+\n$/);
  expect(await isReady((await running()).apiUrl)).toBe(true);
});

test("a port that is taken is reported in one line, and nothing keeps running", async () => {
  const { apiUrl } = await running();
  const other = await mkdtemp(join(tmpdir(), "sandbox-other-"));
  const second = launch("--data", other, "--port", new URL(apiUrl).port);
  expect(await second.ended).toBe(1);
  expect(second.output.text).toMatch(/^api did not start: .*(in use|EADDRINUSE).*\n$/);
  const left = JSON.parse(await readFile(join(other, "processes.json"), "utf8")) as unknown;
  expect(left).toEqual([]);
  await rm(other, { recursive: true });
});

test("wrong flags and wrong commands are refused in one line", async () => {
  const wrong = launch("--hots", "2");
  expect(await wrong.ended).toBe(1);
  expect(wrong.output.text).toBe("Unknown option '--hots'. Flags: --hosts N, --port N (0 = any), --data DIR\n");
});

test("the API and the database come back at the same address when they were killed, and run.json follows", async () => {
  const before = await running();
  process.kill(before.pidOf("api"), "SIGKILL");
  process.kill(before.pidOf("database"), "SIGKILL");
  await vi.waitUntil(async () => {
    const now = await running();
    return [now.pidOf("api"), now.pidOf("database")].every(
      (pid) => pid !== 0 && !before.processes.some((old) => old.pid === pid),
    );
  }, SOON);
  const after = await running();
  expect(after).toMatchObject({ apiUrl: before.apiUrl, databaseUrl: before.databaseUrl });
  await vi.waitUntil(() => isReady(before.apiUrl), SOON);
  expect(await statusOf(before.apiUrl, before.token)).toBe(200);
});

test("nothing outlives a launcher that was killed with SIGKILL, and the next start has the same data", async () => {
  const before = await running();
  sandbox.child.kill("SIGKILL");
  await sandbox.ended;
  sandbox = launch("--data", dataDir, "--port", "0");
  const isReplaced = async () => {
    const now = await readRunFile();
    return now && !now.processes.some(({ pid }) => before.processes.some((old) => old.pid === pid));
  };
  await vi.waitUntil(() => sandboxRunsWith(isReplaced), READY);
  expect(before.processes.filter(({ pid }) => isAlive(pid))).toEqual([]);
  const { apiUrl, token, login } = await running();
  expect({ token, login }).toEqual({ token: before.token, login: before.login });
  expect(await statusOf(apiUrl, token)).toBe(200);
}, 70_000);

test("SIGTERM stops everything: exit code 0, no run.json, no process", async () => {
  const { processes } = await running();
  sandbox.child.kill("SIGTERM");
  expect(await sandbox.ended).toBe(0);
  expect(await readRunFile()).toBeUndefined();
  expect(processes.filter(({ pid }) => isAlive(pid))).toEqual([]);
  expect(sandbox.output.text).toMatch(/Ctrl-C stops it.\nstopping …\n$/);
});
