import * as z from "zod";
import type { Device } from "../../shared/db/devices.ts";
import { DEVICE_STATUSES } from "../../shared/device-status.ts";
import { DEVICE_ID_PATTERN } from "../../shared/ids.ts";
import type { DeviceId } from "../../shared/ids.ts";

export const deviceId = z
  .string()
  .regex(DEVICE_ID_PATTERN)
  .transform((value) => value as DeviceId)
  .meta({ description: "3-50 characters of `a-z A-Z 0-9 _ -`.", examples: ["device-001"] });

/** The path parameters of every route below one device. */
export const deviceParams = z.object({ deviceId });

const status = z.enum(DEVICE_STATUSES).meta({
  description:
    "What is true now. `connected` needs a socket host that is alive and a connection that heard from WhatsApp a moment ago. `connecting`: being opened; with a `qrCode`, that waits to be scanned. `pairing`: it has been. `logged_out`: WhatsApp revoked the link.",
});
const statusReason = z
  .string()
  .nullable()
  .meta({ description: "Why it is not connected, a stable code such as `no_host`, `silent`, `replaced`." });
const isConnected = z.boolean();
const connectionAttempts = z.int().meta({ description: "Attempts to reconnect since it was last connected." });
const isoTime = z.iso.datetime();

/** A device as lists show it. */
export const deviceView = z
  .object({
    deviceId: z.string(),
    deviceName: z.string().nullable(),
    status,
    statusReason,
    isConnected,
    phoneNumber: z.string().nullable().meta({ description: "The linked number, digits with country code." }),
    createdAt: isoTime,
    lastActivity: isoTime.nullable(),
    connectionAttempts,
  })
  .meta({ id: "Device" });

export const toDeviceView = (device: Device): z.input<typeof deviceView> => ({
  deviceId: device.deviceId,
  deviceName: device.deviceName,
  status: device.status,
  statusReason: device.statusReason,
  isConnected: device.isConnected,
  phoneNumber: device.phoneNumber,
  createdAt: device.createdAt.toISOString(),
  lastActivity: device.lastActivity?.toISOString() ?? null,
  connectionAttempts: device.connectionAttempts,
});

export const deviceExample: z.input<typeof deviceView> = {
  deviceId: "device-001",
  deviceName: "Device Utama",
  status: "connected",
  statusReason: null,
  isConnected: true,
  phoneNumber: "6281234567890",
  createdAt: "2026-11-22T03:00:00.000Z",
  lastActivity: "2026-11-22T04:30:00.000Z",
  connectionAttempts: 0,
};

/** The live state of a device: what connecting, disconnecting and asking for the status answer. */
export const deviceState = z
  .object({
    deviceId: z.string(),
    status,
    statusReason,
    isConnected,
    connectionAttempts,
    qrCode: z.string().optional().meta({ description: "While there is one to be scanned: the text of the QR code." }),
    phoneNumber: z.string().optional().meta({ description: "Once a number is linked." }),
  })
  .meta({ id: "DeviceState" });

export const toDeviceState = (device: Device): z.input<typeof deviceState> => ({
  deviceId: device.deviceId,
  status: device.status,
  statusReason: device.statusReason,
  isConnected: device.isConnected,
  connectionAttempts: device.connectionAttempts,
  ...(device.qrCode !== null && { qrCode: device.qrCode }),
  ...(device.phoneNumber !== null && { phoneNumber: device.phoneNumber }),
});

export const deviceStateExample: z.input<typeof deviceState> = {
  deviceId: "device-001",
  status: "connected",
  statusReason: null,
  isConnected: true,
  connectionAttempts: 0,
  phoneNumber: "6281234567890",
};
