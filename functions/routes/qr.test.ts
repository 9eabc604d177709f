import { afterAll, beforeAll, expect, test } from "vitest";
import { startGateway } from "../testing/gateway.ts";
import { startHost } from "../testing/host.ts";
import type { HostDouble } from "../testing/host.ts";

const DEVICES = "/api/whatsapp-multi-device/devices";
const PNG_SIGNATURE = "89504e470d0a1a0a";
const gateway = await startGateway();
const { ask, call, createDevice } = gateway;
const expiresAt = new Date(Date.now() + 60_000);

let host: HostDouble;
beforeAll(async () => {
  host = await startHost(gateway.database, gateway.queues, async () => undefined);
  const deviceId = await createDevice("pairing");
  await host.setStatus(deviceId, { status: "connecting", qr: { code: "2@abc,def,ghi", expiresAt } });
});
afterAll(() => host.stop());

test("the QR code comes as text with its end", async () => {
  const { status, body } = await call("GET", `${DEVICES}/pairing/qr`);
  expect(status).toBe(200);
  expect(body.data).toEqual({ deviceId: "pairing", qrCode: "2@abc,def,ghi", expiresAt: expiresAt.toISOString() });
});

test.each(["qr-image", "qr-base64", "qr-image?format=png"])("%s is a PNG in a data URL", async (path) => {
  const { status, body } = await call("GET", `${DEVICES}/pairing/${path}`);
  expect(status).toBe(200);
  const [head, data = ""] = String(body.data["qrImage"]).split(",");
  expect(head).toBe("data:image/png;base64");
  expect(Buffer.from(data, "base64").subarray(0, 8).toString("hex")).toBe(PNG_SIGNATURE);
});

test("with format=svg the body is the picture", async () => {
  const response = await ask("GET", `${DEVICES}/pairing/qr-image?format=svg`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("image/svg+xml");
  expect(await response.text()).toMatch(/^<svg .*<\/svg>\s*$/s);
});

test("another format is named", async () => {
  const { status, body } = await call("GET", `${DEVICES}/pairing/qr-image?format=gif`);
  expect(status).toBe(400);
  expect(body.error.details).toEqual([{ path: "query.format", message: "harus salah satu dari: png, svg" }]);
});

test("there is none for a device that nobody connects, and none once it has expired", async () => {
  await createDevice("quiet");
  const deviceId = await createDevice("expired");
  const qr = { code: "2@old", expiresAt: new Date(Date.now() - 1_000) };
  await host.setStatus(deviceId, { status: "connecting", qr });
  for (const path of ["quiet/qr", "quiet/qr-image", "expired/qr", "expired/qr-base64?format=svg"]) {
    const answer = await call("GET", `${DEVICES}/${path}`);
    expect(answer).toMatchObject({
      status: 404,
      body: { message: "QR Code tidak tersedia", error: { code: "qr_not_available" } },
    });
  }
});
