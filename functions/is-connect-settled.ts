import { isFinished } from "../shared/commands.ts";
import type { Command } from "../shared/db/commands.ts";
import type { Device } from "../shared/db/devices.ts";

/**
 * Whether a `connect` has come to something worth an answer: a failure, an open connection, or a QR code that somebody
 * must scan first. While the host has not begun the command, the device still shows what was before it.
 */
export function isConnectSettled(
  command: Pick<Command, "state" | "startedAt">,
  device: Pick<Device, "isConnected" | "qrCode">,
): boolean {
  if (command.state === "failed") return true;
  if (device.isConnected) return isFinished(command.state);
  return device.qrCode !== null && command.startedAt !== null;
}
