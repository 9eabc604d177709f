/**
 * What a socket host has seen of a device. `degraded`: the connection stands, and WhatsApp does not answer on it.
 * `passkey_required`: the account can only be linked by a program that can ask for its passkey. `logged_out`: WhatsApp
 * revoked the link; linking again needs a QR.
 */
export const DEVICE_STATUSES = [
  "created",
  "connecting",
  "pairing",
  "connected",
  "degraded",
  "disconnected",
  "cancelled",
  "passkey_required",
  "logged_out",
  "error",
] as const;
export type DeviceStatus = (typeof DEVICE_STATUSES)[number];

/** `connected` is believed for this long after the socket last heard from WhatsApp: two keep-alive rounds and a margin. */
export const ALIVE_FOR_SECONDS = 75;
