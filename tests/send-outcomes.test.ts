import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

describe("the answer to a send", () => {
  let stack: Stack;
  let gateway: Gateway;
  let owner: Phone;
  let friend: Phone;

  beforeAll(async () => {
    stack = await freshStack({ environment: { SYNC_WAIT_MS: "2000" } });
    gateway = new Gateway(stack);
    owner = await Phone.create(stack, "6281100000041");
    friend = await Phone.create(stack, "6281100000042");
    await gateway.link("outcome", owner);
  });

  it("comes after the server's acknowledgement", async () => {
    // A receipt proves as much as the acknowledgement, so this friend's phone stays silent.
    await friend.settings({ autoDelivered: false });
    const slow = await owner.fault("slow", { delayMs: 700 });
    const before = Date.now();
    const answer = await gateway.send("outcome", friend.number, "pelan");
    expect(answer.status).toBe(200);
    expect(Date.now() - before).toBeGreaterThanOrEqual(700);
    await owner.mend(slow.id);
    await friend.settings({ autoDelivered: true });
  });

  it(
    "is 202 with an honest status while the server does not acknowledge, and becomes accepted at the next login",
    { timeout: 60_000 },
    async () => {
      const fault = await owner.fault("no-ack");
      await friend.settings({ autoDelivered: false });
      const answer = await gateway.send("outcome", friend.number, "tanpa jawaban");
      expect(answer.status).toBe(202);
      const { commandId } = answer.body.data;
      const status = async () => (await gateway.call("GET", `/commands/${commandId}`)).body.data.status as string;
      expect(await status()).toBe("sending");
      await owner.mend(fault.id);
      await owner.fault("drop", { count: 1 });
      await eventually("accepted after the reconnect", 30_000, async () => (await status()) === "accepted");
      await friend.settings({ autoDelivered: true });
    },
  );

  it("is recipient_restricted where WhatsApp does not let the account write, and nobody got it", async () => {
    await owner.fault("ack-error", { code: 463, count: 1 });
    const answer = await gateway.send("outcome", friend.number, "boleh?");
    expect(answer.status).toBe(422);
    expect(answer.body.error?.code).toBe("recipient_restricted");
    expect(answer.body.error?.details).toHaveLength(1);
    expect((await gateway.send("outcome", friend.number, "sekarang?")).status).toBe(200);
  });

  it("in a group that refused a message is good again for the next, which every member can read", async () => {
    const group = await owner.createGroup("Grup", [friend]);
    await owner.fault("ack-error", { code: 420, count: 1 });
    const refused = await gateway.send("outcome", group, "membawa kunci");
    expect(refused.body.error?.code).toBe("refused_by_whatsapp");
    const sent = await gateway.send("outcome", group, "terbaca?");
    expect(sent.status).toBe(200);
    expect(await friend.received(sent.body.data.messageId)).toMatchObject({ text: "terbaca?", copies: 1 });
    expect(await retriesOf(stack)).toBe(0);
  });

  it("is not_on_whatsapp for a number without an account, and nothing was sent", async () => {
    const sentBefore = await messagesRouted(stack);
    const answer = await gateway.send("outcome", "6281199999999", "halo?");
    expect(answer.status).toBe(422);
    expect(answer.body.error?.code).toBe("not_on_whatsapp");
    expect(await messagesRouted(stack)).toBe(sentBefore);
  });

  it("is 409 not_connected without a connection", async () => {
    await gateway.call("POST", "/devices", { deviceId: "never-linked" });
    const answer = await gateway.send("never-linked", friend.number, "halo");
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ message: "WhatsApp tidak terhubung", error: { code: "not_connected" } });
  });

  it("is refused after the phone has unlinked the device, which shows logged_out", async () => {
    await owner.unlink();
    await eventually(
      "logged out",
      5_000,
      async () => (await gateway.status("outcome")).body.data.status === "logged_out",
    );
    expect((await gateway.send("outcome", friend.number, "halo")).body.error?.code).toBe("not_connected");
    const connect = await gateway.call("POST", "/devices/outcome/connect");
    expect(connect.body.data.qrCode).toMatch(/^https:\/\/wa\.me/);
    await owner.scan(connect.body.data.qrCode);
    await gateway.connected("outcome", 15_000);
  });

  it("disconnect logs the device out; with logout=false the link stays", async () => {
    expect((await gateway.call("DELETE", "/devices/outcome/disconnect?logout=false")).status).toBe(200);
    expect((await gateway.status("outcome")).body.data).toMatchObject({ isConnected: false, status: "disconnected" });
    const again = await gateway.call("POST", "/devices/outcome/connect");
    expect(again.body.data).toMatchObject({ isConnected: true, status: "connected" });
    expect((await gateway.call("DELETE", "/devices/outcome/disconnect")).status).toBe(200);
    const fresh = await gateway.call("POST", "/devices/outcome/connect");
    expect(fresh.body.data.qrCode).toBeTruthy();
  });

  it("another connection with the same credentials ends ours for good until somebody connects", async () => {
    const connect = await gateway.call("GET", "/devices/outcome/qr");
    await owner.scan(connect.body.data.qrCode);
    await gateway.connected("outcome", 15_000);
    await owner.fault("replaced", { count: 1 });
    await eventually("replaced", 5_000, async () => {
      const { data } = (await gateway.status("outcome")).body;
      return data.status === "disconnected" && !data.isConnected;
    });
    expect((await gateway.call("POST", "/devices/outcome/connect")).body.data.isConnected).toBe(true);
  });
});

async function retriesOf(stack: Stack): Promise<unknown> {
  const response = await fetch(`${stack.simulatorUrl}/stats`);
  return ((await response.json()) as { retryReceipts: { fromPhones: number } }).retryReceipts.fromPhones;
}

async function messagesRouted(stack: Stack): Promise<unknown> {
  const response = await fetch(`${stack.simulatorUrl}/stats`);
  return ((await response.json()) as { messagesRouted: number }).messagesRouted;
}
