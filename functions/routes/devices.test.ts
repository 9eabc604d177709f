import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DeviceId } from "../../shared/ids.ts";
import * as commands from "../../shared/db/commands.ts";
import { startGateway } from "../testing/gateway.ts";
import { startHost } from "../testing/host.ts";
import type { HostDouble } from "../testing/host.ts";

const DEVICES = "/api/whatsapp-multi-device/devices";
const gateway = await startGateway();
const { call, createDevice } = gateway;

describe("creating a device", () => {
  test("answers 201 with a device that is not connected", async () => {
    const { status, body } = await call("POST", DEVICES, { body: { deviceId: "first", deviceName: "Device Utama" } });
    expect(status).toBe(201);
    expect(body.success).toBe(true);
    expect(body.message).toBe("Device berhasil dibuat");
    expect(body.data).toMatchObject({
      deviceId: "first",
      deviceName: "Device Utama",
      status: "created",
      isConnected: false,
      phoneNumber: null,
      lastActivity: null,
      connectionAttempts: 0,
    });
  });

  test("takes a device without a name, and passes over fields that it does not know", async () => {
    const { status, body } = await call("POST", DEVICES, { body: { deviceId: "nameless", deviceName: "", color: 1 } });
    expect(status).toBe(201);
    expect(body.data["deviceName"]).toBeNull();
  });

  test("refuses a deviceId that is taken, also by somebody else", async () => {
    await createDevice("taken");
    const again = await call("POST", DEVICES, { body: { deviceId: "taken" } });
    expect(again).toMatchObject({ status: 409, body: { error: { code: "device_exists" } } });
    const token = await gateway.stranger();
    const other = await call("POST", DEVICES, { body: { deviceId: "taken" }, token });
    expect(other.status).toBe(409);
  });

  test.each([
    ["missing", {}, "wajib diisi"],
    ["too short", { deviceId: "ab" }, "harus sesuai"],
    ["too long", { deviceId: "a".repeat(51) }, "harus sesuai"],
    ["of the wrong characters", { deviceId: "a b/c" }, "harus sesuai"],
    ["of the wrong type", { deviceId: 123 }, "harus bertipe string"],
    ["a word that routes use", { deviceId: "connected" }, "adalah kata yang dicadangkan"],
  ])("names a deviceId that is %s", async (_what, body, message) => {
    const answer = await call("POST", DEVICES, { body });
    expect(answer).toMatchObject({ status: 400, body: { success: false, error: { code: "validation_failed" } } });
    expect(answer.body.error.details).toEqual([{ path: "body.deviceId", message: expect.stringContaining(message) }]);
  });

  test("names every wrong field of the body and of the headers together", async () => {
    const question = { body: { deviceName: 5 }, headers: { "idempotency-key": "é" } };
    const { status, body } = await call("POST", DEVICES, question);
    expect(status).toBe(400);
    const paths = body.error.details?.map(({ path }) => path);
    expect(paths).toEqual(["headers.idempotency-key", "body.deviceId", "body.deviceName"]);
  });

  test("refuses a name that is too long", async () => {
    const { body } = await call("POST", DEVICES, { body: { deviceId: "named", deviceName: "n".repeat(101) } });
    expect(body.error.details).toEqual([{ path: "body.deviceName", message: "harus paling banyak 100 karakter" }]);
  });

  test("with the same key and body answers the same again, and creates nothing twice", async () => {
    const question = { body: { deviceId: "once", deviceName: "Satu" }, headers: { "idempotency-key": "create-once" } };
    const first = await call("POST", DEVICES, question);
    const again = await call("POST", DEVICES, question);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body.data).toEqual(first.body.data);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  test("with the same key and another body is refused", async () => {
    const headers = { "idempotency-key": "create-other" };
    await call("POST", DEVICES, { body: { deviceId: "keyed-a" }, headers });
    const other = await call("POST", DEVICES, { body: { deviceId: "keyed-b" }, headers });
    expect(other).toMatchObject({ status: 409, body: { error: { code: "idempotency_mismatch" } } });
    expect((await call("GET", `${DEVICES}/keyed-b`)).status).toBe(404);
  });

  test("with a new key does not take a device over that exists", async () => {
    await createDevice("existing");
    const question = { body: { deviceId: "existing" }, headers: { "idempotency-key": "late" } };
    const answer = await call("POST", DEVICES, question);
    expect(answer).toMatchObject({ status: 409, body: { error: { code: "device_exists" } } });
  });

  test("ten times side by side under one key creates it once", async () => {
    const question = { body: { deviceId: "parallel" }, headers: { "idempotency-key": "parallel" } };
    const answers = await Promise.all(Array.from({ length: 10 }, () => call("POST", DEVICES, question)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201));
    expect(answers.filter(({ headers }) => headers.get("idempotency-replayed") === null)).toHaveLength(1);
  });
});

describe("looking at devices", () => {
  test("an unknown device is not found", async () => {
    const answer = await call("GET", `${DEVICES}/nowhere`);
    expect(answer).toMatchObject({ status: 404, body: { error: { code: "device_not_found" } } });
  });

  test.each(["", "/status", "/qr", "/qr-image", "/qr-base64"])("a wrong deviceId before %s is named", async (rest) => {
    const { status, body } = await call("GET", `${DEVICES}/a!${rest}`);
    expect(status).toBe(400);
    expect(body.error.details?.map(({ path }) => path)).toEqual(["params.deviceId"]);
  });

  test("another user's device is not found, by any route", async () => {
    await createDevice("private");
    const token = await gateway.stranger();
    const routes = [
      ["GET", ""],
      ["DELETE", ""],
      ["GET", "/status"],
      ["POST", "/connect"],
      ["DELETE", "/disconnect"],
      ["GET", "/qr"],
      ["GET", "/qr-image"],
    ] as const;
    for (const [method, rest] of routes) {
      const answer = await call(method, `${DEVICES}/private${rest}`, { token });
      expect(answer).toMatchObject({ status: 404, body: { error: { code: "device_not_found" } } });
    }
    const body = { to: "081234567890", message: "Halo" };
    expect((await call("POST", `${DEVICES}/private/send-message`, { token, body })).status).toBe(404);
    const events = await call("GET", "/api/whatsapp-multi-device/events?deviceId=private", { token });
    expect(events.status).toBe(404);
    const list = await call("GET", DEVICES, { token });
    expect(list.body.data["devices"]).toEqual([]);
    expect((await call("GET", `${DEVICES}/private`)).status).toBe(200);
  });
});

describe("with a host", () => {
  let host: HostDouble;
  beforeAll(async () => {
    host = await startHost(gateway.database, gateway.queues, async () => ({ state: "done", result: {} }));
  });
  afterAll(() => host.stop());

  test("lists count the devices, and tell the connected ones", async () => {
    const token = await gateway.stranger();
    for (const deviceId of ["list-a", "list-b", "list-c"]) {
      expect((await call("POST", DEVICES, { body: { deviceId }, token })).status).toBe(201);
    }
    await host.setStatus("list-b" as DeviceId, { status: "connected", phoneNumber: "628111222333" });
    const { body } = await call("GET", DEVICES, { token });
    expect(body.data["stats"]).toEqual({
      total: 3,
      connected: 1,
      disconnected: 2,
      withPhoneNumber: 1,
      createdToday: 3,
    });
    for (const path of ["/connected", "/connected/detail"]) {
      const connected = await call("GET", `${DEVICES}${path}`, { token });
      expect(connected.body.data).toMatchObject({ total: 1, devices: [{ deviceId: "list-b", isConnected: true }] });
    }
  });

  test("removing a device closes its socket first, and its commands can still be asked for", async () => {
    const deviceId = await createDevice("removed");
    const answer = await call("DELETE", `${DEVICES}/removed`);
    expect(answer).toMatchObject({ status: 200, body: { data: { deviceId } } });
    expect((await call("GET", `${DEVICES}/removed`)).status).toBe(404);
    expect((await call("DELETE", `${DEVICES}/removed`)).status).toBe(404);
    const seen = host.seen.find((message) => message.deviceId === deviceId);
    const forget = seen && (await commands.get(gateway.database, seen.commandId));
    expect(forget).toMatchObject({ kind: "forget", state: "done" });
    const told = await call("GET", `/api/whatsapp-multi-device/commands/${seen?.commandId}`);
    expect(told.body.data).toMatchObject({ kind: "forget", status: "done", deviceId });
  });

  test("removing with wipe leaves the row to the host, which removes it when nothing else is left", async () => {
    const deviceId = await createDevice("wiped");
    expect((await call("DELETE", `${DEVICES}/wiped?wipe=true`)).status).toBe(200);
    const seen = host.seen.find((message) => message.deviceId === deviceId);
    expect(seen).toMatchObject({ overtakes: true });
    expect((await call("GET", `${DEVICES}/wiped`)).status).toBe(200);
  });

  test("the same id can be created again after a removal", async () => {
    await createDevice("reborn");
    await call("DELETE", `${DEVICES}/reborn`);
    expect((await call("POST", DEVICES, { body: { deviceId: "reborn" } })).status).toBe(201);
  });
});

test("removing a device works without a living host", async () => {
  await createDevice("orphan");
  const config = { ...gateway.services.config, syncWaitMs: 200 };
  expect((await call("DELETE", `${DEVICES}/orphan`, {}, { config })).status).toBe(200);
  expect((await call("GET", `${DEVICES}/orphan`)).status).toBe(404);
});
