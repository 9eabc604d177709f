import { afterAll, describe, expect, it } from "vitest";
import { startStack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack, temporaryDirectory } from "./support/stack.ts";

describe("a restart", () => {
  it(
    "of everything keeps the link: connected without a QR, and messages flow both ways",
    { timeout: 90_000 },
    async () => {
      const dataDir = await temporaryDirectory();
      const options = { dataDir, simulator: true, port: 0 };
      const first = await startStack(options);
      const owner = await Phone.create(first, "6281100000011");
      const friend = await Phone.create(first, "6281100000012");
      await new Gateway(first).link("restarted", owner);
      const before = await new Gateway(first).send("restarted", friend.number, "sebelum");
      await friend.received(before.body.data.messageId);
      await first.dispose();

      const second = await startStack(options);
      afterAll(() => second.dispose());
      const gateway = new Gateway(second);
      await gateway.connected("restarted", 20_000);
      expect((await gateway.status("restarted")).body.data.qrCode).toBeFalsy();
      const friendNow = await Phone.create(second, friend.number);
      const after = await gateway.send("restarted", friend.number, "sesudah");
      expect(after.status).toBe(200);
      expect(await friendNow.received(after.body.data.messageId)).toMatchObject({ text: "sesudah", copies: 1 });
      const id = await friendNow.text(await Phone.create(second, owner.number), "masih di sana?");
      await eventually("an answer is an event", 5_000, async () =>
        (await gateway.events("restarted")).find((event) => event.data["messageId"] === id),
      );
    },
  );

  it(
    "by kill -9 of the host during sends: back without a QR in under 30 s, every accepted send arrives once",
    { timeout: 120_000 },
    async () => {
      const stack = await freshStack();
      const gateway = new Gateway(stack);
      const owner = await Phone.create(stack, "6281100000021");
      const friend = await Phone.create(stack, "6281100000022");
      await gateway.link("killed", owner);
      const commandIds: string[] = [];
      let killedAt = 0;
      for (let n = 0; n < 20; n++) {
        const sending = gateway.send("killed", friend.number, `pesan ${n}`, { prefer: "respond-async" });
        if (n === 10) {
          killedAt = Date.now();
          stack.kill("socket-host-1", "SIGKILL");
        }
        commandIds.push((await sending).body.data.commandId);
      }
      await eventually("the device is connected again", 30_000, async () => {
        const { data } = (await gateway.status("killed")).body;
        return data.isConnected && Date.now() - killedAt > 500;
      });
      for (const [n, commandId] of commandIds.entries()) {
        const command = await eventually(`send ${n} is accepted`, 60_000, async () => {
          const { data } = (await gateway.call("GET", `/commands/${commandId}`)).body;
          return ["accepted", "delivered", "read"].includes(data.status) && data;
        });
        expect(await friend.received(command.messageId)).toMatchObject({ text: `pesan ${n}`, copies: 1 });
      }
      expect((await gateway.status("killed")).body.data.qrCode).toBeFalsy();
    },
  );
});
