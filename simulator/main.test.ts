import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Simulator } from "./server.ts";
import { BaileysClient } from "./testing/baileys-client.ts";
import { control } from "./testing/control.ts";
import { until } from "./testing/until.ts";

const ALICE = "15550000001";
const BOB = "15550000002";

let dataDir: string;
let child: ChildProcess | undefined;
let output: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "simulator-"));
  output = "";
});
afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await rm(dataDir, { recursive: true });
});

async function start(): Promise<{ child: ChildProcess; simulator: Simulator }> {
  const started = fork(join(import.meta.dirname, "main.ts"), ["--data", dataDir], {
    execArgv: ["--import", "tsx"],
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  child = started;
  for (const stream of [started.stdout, started.stderr]) stream?.on("data", (data) => (output += String(data)));
  const [ready] = (await once(started, "message")) as [Simulator & { type: string }];
  expect(ready).toMatchObject({
    type: "ready",
    wsUrl: expect.stringMatching(/^ws:/),
    rootPublicKey: expect.any(String),
  });
  return { child: started, simulator: ready };
}

async function countInbox(simulator: Simulator): Promise<number> {
  const { body } = await control(simulator, "GET", `/phones/${BOB}/inbox`);
  return (body as unknown as unknown[]).length;
}

test("as a process it reports over IPC, ignores SIGINT, saves on SIGTERM and says nothing of what it sees", async () => {
  const first = await start();
  for (const phone of [ALICE, BOB]) await control(first.simulator, "POST", "/phones", { phone });
  const client = new BaileysClient(first.simulator);
  await client.link(ALICE);
  for (let i = 0; i < 3; i++) {
    await client.sendText(BOB, "a secret");
    await control(first.simulator, "POST", `/phones/${BOB}/messages`, { to: ALICE, text: "a secret" });
  }
  await control(first.simulator, "POST", "/faults", { match: { phone: BOB }, fault: "corrupt-message" });
  await client.sendText(BOB, "a spoilt secret");
  await until(async () => (await countInbox(first.simulator)) === 4);
  first.child.kill("SIGINT");
  expect((await control(first.simulator, "GET", "/trust")).status).toBe(200);
  await client.end();
  first.child.kill("SIGTERM");
  expect(await once(first.child, "exit")).toEqual([0, null]);
  expect(output).toBe("");

  const second = await start();
  const again = new BaileysClient(second.simulator, client.storedAuth());
  await again.connect();
  await again.sendText(BOB, "still linked");
  await until(async () => (await countInbox(second.simulator)) === 5);
  await again.end();
}, 90_000);

test("as a process it ends when its parent is gone", async () => {
  const { child } = await start();
  child.disconnect();
  expect(await once(child, "exit")).toEqual([0, null]);
}, 90_000);
