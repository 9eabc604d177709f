import type { Device } from "../shared/db/devices.ts";

/**
 * Whether a message for the device is queued, or refused at once as `not_connected`. A paired device that its host is
 * just opening again, or whose host is being replaced, is as good as connected: the message waits in the queue, and
 * the host decides.
 */
export function maySend(
  device: Pick<Device, "isConnected" | "status" | "statusReason" | "desired" | "phoneNumber" | "qrCode">,
): boolean {
  if (device.isConnected) return true;
  const waitsForPerson = device.phoneNumber === null || device.qrCode !== null;
  if (waitsForPerson) return false;
  return (
    device.status === "connecting" ||
    device.status === "degraded" ||
    (device.statusReason === "no_host" && device.desired === "connected")
  );
}
