import type { CommandPayload } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import { STORED } from "../consumer.ts";
import type { Execution } from "../consumer.ts";
import type { CommandContext } from "./context.ts";

/** Closes the device's socket; with `logout` the link is removed on WhatsApp's side as well, if the socket is open. */
export async function disconnect(
  { database, device, command, epoch }: CommandContext,
  { logout }: Extract<CommandPayload, { kind: "disconnect" }>,
): Promise<Execution> {
  if (!(await commands.start(database, command.commandId, epoch, "running"))) return STORED;
  const loggedOut = await device.disconnect(logout);
  const result = { deviceId: device.deviceId, loggedOut };
  await commands.finish(database.pool, command.commandId, epoch, { state: "done", result });
  return STORED;
}
