import type { CommandPayload } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import * as devices from "../../shared/db/devices.ts";
import * as jobs from "../../shared/db/jobs.ts";
import * as schedules from "../../shared/db/schedules.ts";
import { transaction } from "../../shared/db/pool.ts";
import { KEPT, STORED } from "../consumer.ts";
import type { Execution } from "../consumer.ts";
import { removeReceived } from "../media/remove-received.ts";
import type { CommandContext } from "./context.ts";

/**
 * Stops the device and deletes everything that is stored of it. After a crash it runs again from its row, so that
 * nothing is left half deleted; rejects while the store does not answer, and is tried again.
 * @param letGo closes the device here and forgets it; for one whose row is removed as well
 */
export async function wipe(
  { database, media, device, command }: CommandContext,
  { isRemoved }: Extract<CommandPayload, { kind: "wipe" }>,
  letGo: () => Promise<void>,
): Promise<Execution> {
  const { commandId } = command;
  const { deviceId } = device;
  if (!(await commands.start(database, commandId, device.epoch, "running"))) return STORED;
  if ((await device.wipe()) === "fenced") return KEPT;
  const owned = await devices.getOwned(database, deviceId);
  if (owned) await removeReceived(database, media, owned);
  // They must not go on from whatever number is linked next.
  await jobs.cancelAll(database, deviceId);
  await schedules.cancelAll(database, deviceId);
  await transaction(database, async (runner) => {
    await commands.finish(runner, commandId, device.epoch, { state: "done", result: { deviceId } });
    if (isRemoved) await devices.removeOwned(runner, deviceId, device.epoch);
  });
  if (isRemoved) await letGo();
  return STORED;
}
