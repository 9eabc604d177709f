import type { Device } from "../device.ts";
import type { Groups } from "../whatsapp/groups.ts";

/** A device that is being opened, after a restart or a dropped connection, has so long to come up. */
const OPEN_WAIT_MS = 60_000;

/** The device's groups, when its connection is open. `gone`: the device is not this host's any more. */
export async function openGroups(device: Device): Promise<Groups | "gone" | "closed"> {
  const opened = await device.whenOpen(OPEN_WAIT_MS);
  if (opened === "gone") return opened;
  return device.openConnection?.socket.groups ?? "closed";
}
