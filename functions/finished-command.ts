import { isFinished } from "../shared/commands.ts";
import * as commands from "../shared/db/commands.ts";
import type { Command } from "../shared/db/commands.ts";
import type { Database } from "../shared/db/pool.ts";
import { wait } from "./wait.ts";

/**
 * The command once it is finished, or as it is when the time is up or nobody waits any more.
 * @param command as it was read a moment ago
 */
export async function finishedCommand(
  database: Database,
  command: Command,
  timeoutMs: number,
  isAbandoned: () => boolean,
): Promise<Command> {
  let latest = command;
  let isJustRead = true;
  const look = async () => {
    if (!isJustRead) latest = (await commands.get(database, command.commandId)) ?? latest;
    isJustRead = false;
    return isFinished(latest.state) ? latest : undefined;
  };
  return (await wait(look, timeoutMs, isAbandoned)) ?? latest;
}
