import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startGateway } from "../testing/gateway.ts";
import { startHost } from "../testing/host.ts";
import type { Behaviour, HostDouble } from "../testing/host.ts";

const DEVICES = "/api/whatsapp-multi-device/devices";
const gateway = await startGateway();
const { call, createDevice } = gateway;
const impatient = { config: { ...gateway.services.config, syncWaitMs: 100 } };

test("the status of a new device is created, with neither QR code nor number", async () => {
  await createDevice("fresh");
  const { body } = await call("GET", `${DEVICES}/fresh/status`);
  expect(body.data).toEqual({
    deviceId: "fresh",
    status: "created",
    statusReason: null,
    isConnected: false,
    connectionAttempts: 0,
  });
});

test("without a host connecting is accepted, and its command can be asked for", async () => {
  await createDevice("waiting");
  const { status, body } = await call("POST", `${DEVICES}/waiting/connect`, {}, impatient);
  expect(status).toBe(202);
  expect(body.data).toMatchObject({ deviceId: "waiting", status: "queued" });
  const command = await call("GET", `/api/whatsapp-multi-device/commands/${String(body.data["commandId"])}`);
  expect(command.body.data).toMatchObject({ kind: "connect", status: "queued", startedAt: null, finishedAt: null });
});

test("whoever waits is answered 202 at once when the process is to end", async () => {
  await createDevice("ending");
  const closing = new AbortController();
  const start = performance.now();
  const waiting = call("POST", `${DEVICES}/ending/connect`, {}, { closing: closing.signal });
  closing.abort();
  expect((await waiting).status).toBe(202);
  expect(performance.now() - start).toBeLessThan(2_000);
});

describe("with a host", () => {
  let host: HostDouble;
  let behave: Behaviour = async () => undefined;
  beforeAll(async () => {
    host = await startHost(gateway.database, gateway.queues, (command, double) => behave(command, double));
  });
  afterAll(() => host.stop());

  test("a device with a stored session answers connected", async () => {
    const deviceId = await createDevice("stored");
    behave = async () => {
      await host.setStatus(deviceId, { status: "connected", phoneNumber: "628111222333", desired: "connected" });
      return { state: "done", result: {} };
    };
    const { status, body } = await call("POST", `${DEVICES}/stored/connect`);
    expect(status).toBe(200);
    expect(body.data).toMatchObject({ status: "connected", isConnected: true, phoneNumber: "628111222333" });
  });

  test("a device without a session answers with the QR code, also before the command is done", async () => {
    const deviceId = await createDevice("unpaired");
    behave = async () => {
      const qr = { code: "2@qr", expiresAt: new Date(Date.now() + 20_000) };
      await host.setStatus(deviceId, { status: "connecting", qr });
      return undefined;
    };
    const { status, body } = await call("POST", `${DEVICES}/unpaired/connect`);
    expect(status).toBe(200);
    expect(body.data).toMatchObject({ status: "connecting", isConnected: false, qrCode: "2@qr" });
    const live = await call("GET", `${DEVICES}/unpaired/status`);
    expect(live.body.data).toMatchObject({ status: "connecting", qrCode: "2@qr" });
  });

  test("a connection that fails answers with its reason", async () => {
    await createDevice("outdated");
    behave = async () => ({ state: "failed", errorCode: "not_connected", errorDetail: "client_outdated" });
    const { status, body } = await call("POST", `${DEVICES}/outdated/connect`);
    expect(status).toBe(409);
    expect(body.error).toEqual({
      code: "not_connected",
      details: [{ path: "command", message: "client_outdated" }],
    });
  });

  test.each([
    ["", true],
    ["?logout=true", true],
    ["?logout=false", false],
  ])("disconnecting with %s tells the host whether to log out", async (query, logout) => {
    const deviceId = await createDevice(`leaving-${query.length}`);
    let payload: unknown;
    behave = async (command) => {
      ({ payload } = command);
      await host.setStatus(deviceId, { status: "disconnected", desired: "disconnected" });
      return { state: "done", result: {} };
    };
    const { status, body } = await call("DELETE", `${DEVICES}/${deviceId}/disconnect${query}`);
    expect(status).toBe(200);
    expect(payload).toEqual({ kind: "disconnect", logout });
    expect(body.data).toMatchObject({ deviceId, status: "disconnected", isConnected: false });
  });

  test.each([
    ["POST", "cancel-and-wipe"],
    ["DELETE", "session"],
  ])("%s %s wipes, and does not wait for the device's other commands", async (method, path) => {
    const deviceId = await createDevice(`wiping-${path}`);
    let payload: unknown;
    behave = async (command) => {
      ({ payload } = command);
      await host.setStatus(deviceId, { status: "cancelled", phoneNumber: null });
      return { state: "done", result: {} };
    };
    const { status, body } = await call(method, `${DEVICES}/${deviceId}/${path}`);
    expect(status).toBe(200);
    expect(payload).toEqual({ kind: "wipe", isRemoved: false });
    expect(body.data).toMatchObject({ status: "cancelled", isConnected: false });
    expect(host.seen.at(-1)).toMatchObject({ deviceId, overtakes: true });
  });

  test("a pairing code is asked for by the number, whatever its field is called", async () => {
    await createDevice("by-code");
    const asked: unknown[] = [];
    behave = async (command) => {
      asked.push(command.payload);
      return { state: "done", result: { pairingCode: "ABCD1234", expiresIn: 160 } };
    };
    const ask = (body: unknown) => call("POST", `${DEVICES}/by-code/pairing-code`, { body });
    for (const field of ["phone", "phoneNumber"]) {
      const { status, body } = await ask({ [field]: "0812-3456-7890".replaceAll("-", "") });
      expect(status).toBe(200);
      expect(body.data).toEqual({ pairingCode: "ABCD1234", expiresIn: 160 });
    }
    expect(asked).toEqual([
      { kind: "pairing-code", phone: "6281234567890" },
      { kind: "pairing-code", phone: "6281234567890" },
    ]);
    expect((await ask({ phone: "12" })).body.error.code).toBe("invalid_phone");
    expect((await ask({})).body.error.details).toMatchObject([{ path: "body.phone" }]);
  });

  test("a host that takes its time is answered for by 202", async () => {
    await createDevice("slow");
    behave = async () => undefined;
    const { status, body } = await call("DELETE", `${DEVICES}/slow/disconnect`, {}, impatient);
    expect(status).toBe(202);
    expect(body.data["commandId"]).toMatch(/^cmd_/);
  });

  test("a wrong query is named together with a wrong path", async () => {
    const { status, body } = await call("DELETE", `${DEVICES}/a!/disconnect?logout=maybe`);
    expect(status).toBe(400);
    expect(body.error.details?.map(({ path }) => path)).toEqual(["params.deviceId", "query.logout"]);
  });
});
