/** What a socket host has seen of a device. `logged_out`: WhatsApp revoked the link; linking again needs a QR. */
export const DEVICE_STATUSES = [
  "created",
  "connecting",
  "pairing",
  "connected",
  "disconnected",
  "cancelled",
  "logged_out",
  "error",
] as const;
export type DeviceStatus = (typeof DEVICE_STATUSES)[number];

/** `connected` is believed for this long after the socket last heard from WhatsApp: two keep-alive rounds and a margin. */
export const ALIVE_FOR_SECONDS = 75;
