import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { holders } from "./support/holder.ts";
import { freshStack } from "./support/stack.ts";

const DEVICES = ["fleet-one", "fleet-two", "fleet-three", "fleet-four"];

describe("two hosts", () => {
  let stack: Stack;
  let gateway: Gateway;
  let friend: Phone;

  beforeAll(async () => {
    stack = await freshStack({ hosts: 2 });
    gateway = new Gateway(stack);
    friend = await Phone.create(stack, "6281100000030");
    for (const [n, deviceId] of DEVICES.entries()) {
      await gateway.link(deviceId, await Phone.create(stack, `628110000003${n + 1}`));
    }
  });

  const sendFromAll = (text: string) =>
    Promise.all(DEVICES.map((deviceId) => gateway.send(deviceId, friend.number, text, { prefer: "respond-async" })));
  const allConnected = async () => {
    const answers = await Promise.all(DEVICES.map((deviceId) => gateway.status(deviceId)));
    return answers.every((answer) => answer.body.data.isConnected);
  };
  const spread = () =>
    eventually("both hosts hold two devices each", 60_000, async () => {
      const held = await holders(stack, DEVICES);
      const counts = new Set(held).size === 2 && held.every(Boolean);
      return counts && held.filter((host) => host === held[0]).length === 2 && held;
    });
  async function arriveOnce(sends: Awaited<ReturnType<typeof sendFromAll>>) {
    for (const answer of sends) {
      expect(answer.status).toBe(202);
      expect(await friend.received(answer.body.data.messageId, 60_000)).toMatchObject({ copies: 1 });
    }
  }

  it("share four devices evenly", { timeout: 90_000 }, async () => {
    const held = await spread();
    expect(new Set(held).size).toBe(2);
    await eventually("all connected", 30_000, allConnected);
  });

  it(
    "when one is killed its devices are connected again in under 45 s, and what was sent meanwhile arrives once",
    { timeout: 120_000 },
    async () => {
      stack.kill("socket-host-1", "SIGKILL");
      const sends = await sendFromAll("while one was dead");
      await arriveOnce(sends);
      await eventually("every device is connected", 45_000, allConnected);
    },
  );

  it(
    "when one freezes the other takes its devices in under 45 s, and the frozen one does no harm when it wakes",
    { timeout: 180_000 },
    async () => {
      const before = await spread();
      await eventually("all connected", 30_000, allConnected);
      stack.kill("socket-host-1", "SIGSTOP");
      const sends = await sendFromAll("while one was frozen");
      const [frozen] = before.filter((host) => host?.endsWith("socket-host-1"));
      await eventually("the other host has every device, connected", 45_000, async () => {
        const held = await holders(stack, DEVICES);
        return held.every((host) => host && host !== frozen) && (await allConnected());
      });
      await arriveOnce(sends);
      stack.kill("socket-host-1", "SIGCONT");
      await spread();
      await eventually("all connected", 30_000, allConnected);
      await arriveOnce(await sendFromAll("after the thaw"));
    },
  );
});
