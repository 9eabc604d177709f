import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

const SLOW = { timeout: 90_000 };
/** How long a host that was killed may take to be back and at work. */
const BACK_MS = 60_000;

describe("the life of a device", () => {
  let stack: Stack;
  let gateway: Gateway;
  let friend: Phone;
  let lastNumber = 6281100000200;

  beforeAll(async () => {
    stack = await freshStack({ environment: { SYNC_WAIT_MS: "8000" } });
    gateway = new Gateway(stack);
    friend = await newPhone();
  });

  const newPhone = () => Phone.create(stack, String(++lastNumber));
  async function linked(deviceId: string): Promise<Phone> {
    const phone = await newPhone();
    await gateway.link(deviceId, phone);
    return phone;
  }
  const dataOf = async (deviceId: string) => (await gateway.status(deviceId)).body.data;
  const shows = (deviceId: string, status: string, timeoutMs = 15_000) =>
    eventually(`${deviceId} is ${status}`, timeoutMs, async () => (await dataOf(deviceId)).status === status);
  async function arrives(deviceId: string, text: string) {
    const sent = await gateway.send(deviceId, friend.number, text);
    expect(sent.status).toBe(200);
    expect(await friend.received(sent.body.data.messageId)).toMatchObject({ text, copies: 1 });
  }
  const commandOf = async (commandId: string) => (await gateway.call("GET", `/commands/${commandId}`)).body.data;
  const restore = (path: string) => gateway.call("POST", `/devices/${path}restore`);

  it("begins with a code that is typed on the phone, where nobody can scan", SLOW, async () => {
    const phone = await newPhone();
    await gateway.call("POST", "/devices", { deviceId: "by-code" });
    const bad = await gateway.call("POST", "/devices/by-code/pairing-code", { phone: "12" });
    expect(bad.body.error?.code).toBe("invalid_phone");
    const asked = await gateway.call("POST", "/devices/by-code/pairing-code", { phone: phone.number });
    expect(asked.body.data).toMatchObject({ pairingCode: expect.stringMatching(/^[A-Z0-9]{8}$/), expiresIn: 160 });
    await phone.enterCode(asked.body.data.pairingCode);
    await gateway.connected("by-code", 20_000);
    expect((await dataOf("by-code")).phoneNumber).toBe(phone.number);
    await arrives("by-code", "lewat kode");
    const again = await gateway.call("POST", "/devices/by-code/pairing-code", { phoneNumber: phone.number });
    expect(again.body.error?.code).toBe("already_registered");
  });

  it("a pairing code that nobody types does not stand in the way of a QR", SLOW, async () => {
    const phone = await newPhone();
    await gateway.call("POST", "/devices", { deviceId: "code-then-qr" });
    await gateway.call("POST", "/devices/code-then-qr/pairing-code", { phone: phone.number });
    await gateway.call("DELETE", "/devices/code-then-qr/disconnect?logout=false");
    const connect = await gateway.call("POST", "/devices/code-then-qr/connect");
    await phone.scan(connect.body.data.qrCode);
    await gateway.connected("code-then-qr", 20_000);
  });

  it(
    "a wipe leaves nothing that a restart or a restore could bring back, and another number can be linked",
    SLOW,
    async () => {
      await linked("wiped");
      const wiped = await gateway.call("POST", "/devices/wiped/cancel-and-wipe");
      expect(wiped.status).toBe(200);
      expect(wiped.body.data).toMatchObject({ status: "cancelled", isConnected: false });
      expect(wiped.body.data.phoneNumber).toBeUndefined();
      expect((await restore("wiped/")).body.data).toMatchObject({ isRestored: false, reason: "no_session" });

      const other = await newPhone();
      const connect = await gateway.call("POST", "/devices/wiped/connect");
      expect(connect.body.data.qrCode).toBeTruthy();
      await other.scan(connect.body.data.qrCode);
      await gateway.connected("wiped", 20_000);
      expect((await dataOf("wiped")).phoneNumber).toBe(other.number);
      await arrives("wiped", "nomor baru");
    },
  );

  it(
    "a wipe that a kill -9 cuts short is finished by the next host, and nothing connects the device",
    SLOW,
    async () => {
      await linked("cut-short");
      const wiping = gateway.call("DELETE", "/devices/cut-short/session");
      await eventually("the wipe has begun", 5_000, async () => (await dataOf("cut-short")).status === "cancelled");
      stack.kill("socket-host-1", "SIGKILL");
      const answer = await wiping;
      const commandId = answer.body.data.commandId as string | undefined;
      if (commandId) await eventually("wiped", BACK_MS, async () => (await commandOf(commandId)).status === "done");
      expect(await dataOf("cut-short")).toMatchObject({ status: "cancelled", statusReason: null, isConnected: false });
      await gateway.connected("wiped", BACK_MS);
      expect((await restore("cut-short/")).body.data).toMatchObject({ isRestored: false, reason: "no_session" });
      expect((await dataOf("cut-short")).status).toBe("cancelled");
    },
  );

  it("a link to another number that a kill -9 cuts short ends with that number, or with none", SLOW, async () => {
    await linked("renumbered");
    await gateway.call("POST", "/devices/renumbered/cancel-and-wipe");
    const other = await newPhone();
    const connect = await gateway.call("POST", "/devices/renumbered/connect");
    await other.scan(connect.body.data.qrCode);
    stack.kill("socket-host-1", "SIGKILL");
    await eventually("it is connected, by another scan if the first came to nothing", BACK_MS, async () => {
      const { status, isConnected } = await dataOf("renumbered");
      if (status !== "disconnected") return isConnected;
      const again = await gateway.call("POST", "/devices/renumbered/connect");
      if (again.body.data.qrCode) await other.scan(again.body.data.qrCode);
      return false;
    });
    expect((await dataOf("renumbered")).phoneNumber).toBe(other.number);
    await arrives("renumbered", "nomor lain");
  });

  it(
    "a disconnect, a removal and a restore that a kill -9 cuts short end as they would have without it",
    SLOW,
    async () => {
      await linked("leaving");
      await linked("going");
      const phone = await linked("coming");
      await gateway.call("DELETE", "/devices/coming");
      const calls = [
        gateway.call("DELETE", "/devices/leaving/disconnect"),
        gateway.call("DELETE", "/devices/going"),
        restore("coming/"),
      ];
      await Promise.race(calls);
      stack.kill("socket-host-1", "SIGKILL");
      for (const answer of await Promise.all(calls)) expect([200, 202]).toContain(answer.status);
      await shows("leaving", "disconnected", BACK_MS);
      await eventually("going is gone", BACK_MS, async () => (await gateway.status("going")).status === 404);
      await gateway.connected("coming", BACK_MS);
      expect(await dataOf("coming")).toMatchObject({ phoneNumber: phone.number });
      expect((await dataOf("leaving")).status).toBe("disconnected");
    },
  );

  it("a removed device is found again by a restore, and its session with it", SLOW, async () => {
    const phone = await linked("removed");
    expect((await gateway.call("DELETE", "/devices/removed")).status).toBe(200);
    expect((await gateway.status("removed")).status).toBe(404);
    const restored = await restore("");
    expect(restored.body.data.sessions).toContainEqual({
      deviceId: "removed",
      isRestored: true,
      isNew: true,
      reason: null,
    });
    await gateway.connected("removed", 20_000);
    expect((await dataOf("removed")).phoneNumber).toBe(phone.number);
    await arrives("removed", "kembali");
    const again = await restore("removed/");
    expect(again.body.data).toMatchObject({ isRestored: false, reason: "already_connected" });
  });

  it("what is removed with wipe=true is gone, in the bucket too", SLOW, async () => {
    await linked("gone");
    expect((await gateway.call("DELETE", "/devices/gone?wipe=true")).status).toBe(200);
    expect((await gateway.status("gone")).status).toBe(404);
    expect((await restore("gone/")).status).toBe(404);
    expect((await gateway.status("gone")).status).toBe(404);
  });

  it("a disconnected device is restored only by its name", SLOW, async () => {
    await linked("resting");
    await gateway.call("DELETE", "/devices/resting/disconnect?logout=false");
    const all = await restore("");
    expect(all.body.data.sessions).toContainEqual({
      deviceId: "resting",
      isRestored: false,
      isNew: false,
      reason: "disconnected",
    });
    expect((await restore("resting/")).body.data).toMatchObject({ isRestored: true, isNew: false });
    await gateway.connected("resting", 20_000);
  });

  it(
    "unlinked on the phone while its host is dead, it is logged out, and what had no answer is never sent again",
    SLOW,
    async () => {
      const phone = await linked("unlinked");
      await phone.fault("no-ack");
      await friend.settings({ autoDelivered: false });
      const sent = await gateway.send("unlinked", friend.number, "tanpa jawaban", { prefer: "respond-async" });
      const { commandId } = sent.body.data;
      await eventually("sending", 10_000, async () => (await commandOf(commandId)).status === "sending");
      stack.kill("socket-host-1", "SIGKILL");
      await phone.unlink();
      await shows("unlinked", "logged_out", BACK_MS);
      await friend.settings({ autoDelivered: true });
      expect(await commandOf(commandId)).toMatchObject({ status: "failed", error: { code: "outcome_unknown" } });
      const connect = await gateway.call("POST", "/devices/unlinked/connect");
      expect(connect.body.data.qrCode).toBeTruthy();
    },
  );

  it("an account that takes a passkey to link is told as such", SLOW, async () => {
    const phone = await newPhone();
    await gateway.call("POST", "/devices", { deviceId: "passkey" });
    await phone.fault("passkey-required");
    const connect = await gateway.call("POST", "/devices/passkey/connect");
    await phone.scan(connect.body.data.qrCode).catch(() => undefined);
    await shows("passkey", "passkey_required");
    expect((await dataOf("passkey")).qrCode).toBeUndefined();
  });

  it(
    "replaced once it may come back; replaced again at once it stays closed until somebody connects",
    SLOW,
    async () => {
      const phone = await linked("replaced");
      await phone.fault("replaced", { count: 1 });
      await eventually("replaced", 10_000, async () => (await dataOf("replaced")).statusReason === "replaced");
      await gateway.call("POST", "/devices/replaced/connect");
      await gateway.connected("replaced", 15_000);
      await phone.fault("replaced", { count: 1 });
      await eventually("conflict", 10_000, async () => (await dataOf("replaced")).statusReason === "conflict");
      expect((await gateway.call("POST", "/devices/replaced/connect")).body.data.isConnected).toBe(true);
    },
  );
});
