import * as z from "zod";
import { ApiError } from "../../shared/errors.ts";
import type { DeviceId } from "../../shared/ids.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { deviceParams } from "../schemas/device.ts";

const DEVICE = "/api/whatsapp-multi-device/devices/:deviceId";
const tag = "QR";

const SVG_EXAMPLE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 65 65"></svg>';

const qrFields = { deviceId: z.string(), expiresAt: z.iso.datetime() };
const example = { deviceId: "device-001", expiresAt: "2026-11-22T04:30:20.000Z" };

const getQr = route({
  name: "getQr",
  method: "get",
  path: `${DEVICE}/qr`,
  tag,
  scope: "devices:read",
  summary: "QR code as text",
  description: "WhatsApp replaces the code every few seconds: read it again after `expiresAt`.",
  params: deviceParams,
  answers: {
    200: answer({ id: "QR Code tersedia", en: "The QR code" }, z.object({ ...qrFields, qrCode: z.string() }), {
      ...example,
      qrCode: "2@Vk3…,Nq0…,bP1…,zT8…,1",
    }),
  },
  errors: ["device_not_found", "qr_not_available"],
  async handle({ params }, call) {
    return { status: 200, data: await currentQr(call, params.deviceId) };
  },
});

const qrImage = (name: string, path: string) =>
  route({
    name,
    method: "get",
    path,
    tag,
    scope: "devices:read",
    summary: "QR code as a picture",
    description:
      "`png` answers JSON with a data URL, `svg` the picture itself. `/qr-image` and `/qr-base64` answer the same.",
    params: deviceParams,
    query: z.object({ format: z.enum(["png", "svg"]).default("png") }),
    answers: {
      200: answer({ id: "QR Code tersedia", en: "The QR code" }, z.object({ ...qrFields, qrImage: z.string() }), {
        ...example,
        qrImage: "data:image/png;base64,iVBORw0KGgo=",
      }),
    },
    texts: { "image/svg+xml": { schema: { type: "string" }, example: SVG_EXAMPLE } },
    errors: ["device_not_found", "qr_not_available"],
    async handle({ params, query }, call) {
      const { qrCode, ...rest } = await currentQr(call, params.deviceId);
      // Loaded here alone: no other request of a cold start should wait for it.
      const { qrPng, qrSvg } = await import("../qr-picture.ts");
      if (query.format === "svg") return { status: 200, contentType: "image/svg+xml", text: qrSvg(qrCode) };
      const image = `data:image/png;base64,${qrPng(qrCode).toString("base64")}`;
      return { status: 200, data: { ...rest, qrImage: image } };
    },
  });

export const qrRoutes: Route[] = [
  getQr,
  qrImage("getQrImage", `${DEVICE}/qr-image`),
  qrImage("getQrBase64", `${DEVICE}/qr-base64`),
];

async function currentQr(call: Call, deviceId: DeviceId) {
  const { qrCode, qrExpiresAt } = await ownDevice(call, deviceId);
  if (qrCode === null || qrExpiresAt === null) throw new ApiError("qr_not_available");
  return { deviceId, qrCode, expiresAt: qrExpiresAt.toISOString() };
}
