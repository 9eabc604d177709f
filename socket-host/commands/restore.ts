import { isFinished } from "../../shared/commands.ts";
import type { CommandPayload } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import { STORED } from "../consumer.ts";
import type { Execution } from "../consumer.ts";
import { restoreSessions } from "../restore-sessions.ts";
import type { RestoreServices } from "../restore-sessions.ts";
import type { CommandId } from "../../shared/ids.ts";

/** Finds stored sessions and has them connected, each by the host of its shard. Repeating it does no harm. */
export async function restore(commandId: CommandId, services: RestoreServices): Promise<Execution> {
  const { database } = services;
  const command = await commands.get(database, commandId);
  if (!command || isFinished(command.state) || !isRestore(command.payload)) return STORED;
  if (!(await commands.startAlone(database, commandId))) return STORED;
  const sessions = await restoreSessions(services, command.userId, command.payload.deviceIds);
  await commands.finishAlone(database, commandId, { state: "done", result: { sessions } });
  return STORED;
}

const isRestore = (payload: CommandPayload | null): payload is Extract<CommandPayload, { kind: "restore" }> =>
  payload?.kind === "restore";
