import type { CommandPayload } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import { STORED } from "../consumer.ts";
import type { Execution } from "../consumer.ts";
import type { CommandContext } from "./context.ts";

/** Closes the device's socket; with `logout` the link is removed on WhatsApp's side as well, if the socket is open. */
export async function disconnect(
  { database, device, command }: CommandContext,
  { logout }: Extract<CommandPayload, { kind: "disconnect" }>,
): Promise<Execution> {
  if (!(await commands.start(database, command.commandId, device.epoch, "running"))) return STORED;
  const loggedOut = await device.disconnect(logout);
  const result = { deviceId: device.deviceId, loggedOut };
  await commands.finish(database.pool, command.commandId, device.epoch, { state: "done", result });
  return STORED;
}
