import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

describe("a first message", () => {
  let stack: Stack;
  let gateway: Gateway;
  let owner: Phone;
  let friend: Phone;

  beforeAll(async () => {
    stack = await freshStack();
    gateway = new Gateway(stack);
    owner = await Phone.create(stack, "6281100000001", "Owner");
    friend = await Phone.create(stack, "6281100000002", "Friend");
  });

  it("goes from a new device through a scanned QR to the phone, decrypted, once, under the id of the answer", async () => {
    await gateway.call("POST", "/devices", { deviceId: "shop", deviceName: "Shop" });
    const connect = await gateway.call("POST", "/devices/shop/connect");
    expect(connect.status).toBe(200);
    expect(connect.body.data).toMatchObject({ deviceId: "shop", status: "connecting", isConnected: false });
    const qr = await gateway.call("GET", "/devices/shop/qr");
    expect(qr.body.data.qrCode).toBe(connect.body.data.qrCode);
    await owner.scan(qr.body.data.qrCode);
    await gateway.connected("shop", 15_000);
    expect((await gateway.status("shop")).body.data).toMatchObject({
      phoneNumber: owner.number,
      connectionAttempts: 0,
    });
    expect((await gateway.call("GET", "/devices/shop/qr")).body.error?.code).toBe("qr_not_available");

    const sent = await gateway.send("shop", "081100000002", "Halo dari gateway");
    expect(sent.status).toBe(200);
    expect(sent.body.data).toMatchObject({ deviceId: "shop", to: `${friend.number}@s.whatsapp.net` });
    const received = await friend.received(sent.body.data.messageId);
    expect(received).toMatchObject({ text: "Halo dari gateway", copies: 1 });
  });

  it("a text that the phone sends appears in the events, in order and without gaps", async () => {
    const id = await friend.text(owner, "Apa kabar?");
    const event = await eventually("the message is an event", 5_000, async () =>
      (await gateway.events("shop")).find((one) => one.type === "message.received" && one.data["messageId"] === id),
    );
    expect(event.data).toMatchObject({
      text: "Apa kabar?",
      fromMe: false,
      messageType: "text",
      sender: { phone: friend.number, name: "Friend" },
    });
    const sequences = (await gateway.events("shop")).map((one) => one.sequence);
    expect(sequences).toEqual(sequences.map((_, index) => index + 1));
    expect(await gateway.events("shop", sequences.length)).toEqual([]);
  });

  it("what the owner types on the phone is an event too, marked as their own", async () => {
    const id = await owner.text(friend, "ditulis di HP");
    const event = await eventually("the own message is an event", 5_000, async () =>
      (await gateway.events("shop")).find((one) => one.data["messageId"] === id),
    );
    expect(event.data).toMatchObject({ fromMe: true, text: "ditulis di HP", sender: { phone: owner.number } });
  });

  it("its command goes on to delivered and read as the receipts come", async () => {
    const sent = await gateway.send("shop", friend.number, "sudah sampai?", { prefer: "respond-async" });
    expect(sent.status).toBe(202);
    const command = () => gateway.call("GET", `/commands/${sent.body.data.commandId}`);
    await eventually("delivered", 5_000, async () => (await command()).body.data.status === "delivered");
    await friend.settings({ autoRead: true });
    const second = await gateway.send("shop", friend.number, "dibaca?", { prefer: "respond-async" });
    await eventually("read", 5_000, async () => {
      const answer = await gateway.call("GET", `/commands/${second.body.data.commandId}`);
      return answer.body.data.status === "read";
    });
    await friend.settings({ autoRead: false });
  });

  it("the same Idempotency-Key sends once, even side by side, and another body is refused", async () => {
    const key = { "idempotency-key": "order-17" };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => gateway.send("shop", friend.number, "sekali", key)),
    );
    expect(new Set(answers.map((answer) => answer.body.data.messageId)).size).toBe(1);
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    const inbox = await friend.inbox();
    expect(inbox.filter((message) => message.text === "sekali")).toMatchObject([{ copies: 1 }]);
    expect((await gateway.send("shop", friend.number, "lain", key)).body.error?.code).toBe("idempotency_mismatch");
  });
});
