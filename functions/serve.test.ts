import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { startGateway } from "./testing/gateway.ts";

const gateway = await startGateway();
const environment = { ...process.env, ...gateway.environment, DATABASE_URL: gateway.services.config.database.url };
const children: ChildProcess[] = [];
afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")));

function start(settings: Record<string, string>) {
  const child = fork(new URL("serve.ts", import.meta.url), {
    execArgv: ["--import", import.meta.resolve("tsx")],
    env: { ...environment, DASHBOARD_PORT: "0", ...settings },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  children.push(child);
  let complaints = "";
  child.stderr?.on("data", (data: Buffer) => {
    complaints += data.toString();
  });
  const exited = once(child, "exit");
  return {
    child,
    message: once(child, "message").then(([message]) => message as { type: string; url: string; message: string }),
    /** Exit code, and what it wrote to stderr. */
    ended: exited.then(([code]) => ({ code: code as number | null, complaints })),
  };
}

test("it says where it is, serves, and leaves SIGINT to its launcher", async () => {
  const { child, message } = start({});
  const { type, url } = await message;
  expect(type).toBe("ready");
  child.kill("SIGINT");
  const headers = { authorization: `Bearer ${gateway.token}` };
  const response = await fetch(`${url}/api/whatsapp-multi-device/devices`, { headers });
  expect(response.status).toBe(200);
});

test("it ends when its launcher is gone", async () => {
  const { child, message, ended } = start({});
  await message;
  child.disconnect();
  expect((await ended).code).toBe(0);
});

test("on SIGTERM it ends by itself, and answers 202 to whoever waits for a command", async () => {
  const deviceId = await gateway.createDevice("ending");
  const { child, message, ended } = start({ SYNC_WAIT_MS: "60000" });
  const { url } = await message;
  const waiting = fetch(`${url}/api/whatsapp-multi-device/devices/${deviceId}/connect`, {
    method: "POST",
    headers: { authorization: `Bearer ${gateway.token}` },
  });
  await expect
    .poll(async () => {
      const [rows] = await gateway.database.pool.execute("SELECT 1 FROM commands WHERE device_id = ?", [deviceId]);
      return rows;
    })
    .toHaveLength(1);
  child.kill("SIGTERM");
  expect((await waiting).status).toBe(202);
  expect((await ended).code).toBe(0);
});

test("a port that is taken is one clear line, to the launcher too", async () => {
  const first = start({});
  const { url } = await first.message;
  const { port } = new URL(url);
  const second = start({ DASHBOARD_PORT: port });
  const expected = `127.0.0.1:${port} is in use by another program: set DASHBOARD_PORT to a free port`;
  expect(await second.message).toEqual({ type: "failed", message: expected });
  expect(await second.ended).toEqual({ code: 1, complaints: `api: ${expected}\n` });
});

test("wrong settings are named, all in one line", async () => {
  const { message, ended } = start({ APP_TIMEZONE: "Mars/Base", SYNC_WAIT_MS: "soon" });
  const { type, message: reason } = await message;
  expect(type).toBe("failed");
  expect(reason).toMatch(/^wrong settings: .*APP_TIMEZONE.*SYNC_WAIT_MS/);
  expect((await ended).code).toBe(1);
});
