import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { startCloud } from "../local/cloud/server.ts";
import { provision } from "../local/provision.ts";
import type { CommandMessage } from "../shared/commands.ts";
import type { CommandId, DeviceId } from "../shared/ids.ts";
import { createLog } from "../shared/log.ts";
import { openCommandQueues } from "../shared/queue.ts";
import type { CommandQueues } from "../shared/queue.ts";
import { eventually } from "../tests/support/eventually.ts";
import { Consumer, KEPT, STORED } from "./consumer.ts";
import type { Execution } from "./consumer.ts";

const credentials = { accessKeyId: "AKIDCONSUMERTEST", secretAccessKey: "consumer-test-secret" };
const region = "us-east-1";

describe("the consumer of a shard", () => {
  let queues: CommandQueues;
  const consumers: Consumer[] = [];

  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "gateway-consumer-"));
    const cloud = await startCloud({ dataDir, credentials, region });
    const { commandQueueUrls } = await provision({ endpoint: cloud.endpoint, region, ...credentials });
    vi.stubEnv("AWS_ENDPOINT_URL_SQS", cloud.endpoint);
    vi.stubEnv("AWS_REGION", region);
    vi.stubEnv("AWS_ACCESS_KEY_ID", credentials.accessKeyId);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", credentials.secretAccessKey);
    queues = openCommandQueues(commandQueueUrls);
    afterAll(async () => {
      queues.close();
      await cloud.dispose();
      await rm(dataDir, { recursive: true, force: true });
      vi.unstubAllEnvs();
    });
  });
  afterEach(async () => {
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop(0)));
  });

  let count = 0;
  async function put(shard: number, device: string, ...names: string[]) {
    for (const name of names) {
      await queues.send(shard, { commandId: `${name}-${++count}` as CommandId, deviceId: device as DeviceId });
    }
  }
  const nameOf = (commandId: string) => commandId.split("-")[0];
  function consume(
    shard: number,
    executeOne: (message: CommandMessage) => Promise<Execution>,
    more: Partial<{ queues: CommandQueues; giveUp: () => Promise<void> }> = {},
  ) {
    const giveUp = () => Promise.reject(new Error("not expected"));
    const log = createLog("test", "silent");
    const execute = async (messages: readonly CommandMessage[]) => {
      const executed = [];
      for (const message of messages) executed.push(await executeOne(message).catch((error: unknown) => ({ error })));
      return executed;
    };
    const consumer = new Consumer({ shard, queues, execute, giveUp, log, ...more });
    consumers.push(consumer);
    return consumer;
  }

  it("begins a device's commands in order, and one device waits for no other", async () => {
    const begun: string[] = [];
    let letGo = () => {};
    const blocked = new Promise<void>((resolve) => (letGo = resolve));
    await put(0, "slow", "a", "b", "c");
    await put(0, "fast", "x", "y");
    consume(0, async ({ commandId }) => {
      begun.push(nameOf(commandId) ?? "");
      if (commandId.startsWith("a")) await blocked;
      return STORED;
    });
    await eventually("the fast device is done", 5_000, async () => begun.includes("y"));
    expect(begun.filter((name) => "abc".includes(name))).toEqual(["a"]);
    letGo();
    await eventually("the slow device is done", 5_000, async () => begun.includes("c"));
    expect(begun.filter((name) => "abc".includes(name))).toEqual(["a", "b", "c"]);
  });

  it("begins the next command while the outcome of the one before is awaited", async () => {
    const begun: string[] = [];
    await put(1, "piped", "a", "b");
    consume(1, ({ commandId }) => {
      begun.push(nameOf(commandId) ?? "");
      return Promise.resolve(commandId.startsWith("a") ? { finished: new Promise(() => {}) } : STORED);
    });
    await eventually("both have begun", 5_000, async () => begun.length === 2);
  });

  it("gives back what it could not end when it stops, so that the next holder has it at once", async () => {
    await put(2, "moved", "a");
    let isHeld = false;
    const first = consume(2, () => {
      isHeld = true;
      return Promise.resolve(KEPT);
    });
    await eventually("it is held", 5_000, async () => isHeld);
    await first.stop(100);
    const stoppedAt = Date.now();
    let takenAt = 0;
    consume(2, () => {
      takenAt ||= Date.now();
      return Promise.resolve(STORED);
    });
    await eventually("the next holder has it", 5_000, async () => takenAt > 0);
    expect(takenAt - stoppedAt).toBeLessThan(3_000);
  });

  it("ends a command that has failed ten times, and goes on with the device's next", async () => {
    await put(3, "poisoned", "bad", "good");
    const tenthTime: CommandQueues = {
      ...queues,
      receive: async (shard, signal) =>
        (await queues.receive(shard, signal)).map((received) => ({ ...received, receiveCount: 10 })),
    };
    const given: string[] = [];
    const done: string[] = [];
    consume(
      3,
      ({ commandId }) => {
        if (commandId.startsWith("bad")) return Promise.reject(new Error("never works"));
        done.push(commandId);
        return Promise.resolve(STORED);
      },
      { queues: tenthTime, giveUp: async () => void given.push("bad") },
    );
    await eventually("the good one is done", 5_000, async () => done.length === 1);
    expect(given).toEqual(["bad"]);
  });
});
