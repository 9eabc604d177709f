import { isFinished } from "../shared/commands.ts";
import * as commands from "../shared/db/commands.ts";
import type { Command } from "../shared/db/commands.ts";
import type { Database } from "../shared/db/pool.ts";
import { groupWork } from "../shared/group-work.ts";
import type { CommandId } from "../shared/ids.ts";
import { wait } from "./wait.ts";

const MAX_TOGETHER = 50;
/** Of each database what reads the commands that requests wait for, together where several look at about the same time. */
const readers = new WeakMap<Database, (commandId: CommandId) => Promise<Command | undefined>>();

function readerOf(database: Database) {
  const reader =
    readers.get(database) ??
    groupWork(async (commandIds: readonly CommandId[]) => {
      const found = await commands.getAll(database, commandIds);
      return (commandId) => found.get(commandId);
    }, MAX_TOGETHER);
  readers.set(database, reader);
  return reader;
}

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
  const read = readerOf(database);
  let latest = command;
  let isJustRead = true;
  const look = async () => {
    if (!isJustRead) latest = (await read(command.commandId)) ?? latest;
    isJustRead = false;
    return isFinished(latest.state) ? latest : undefined;
  };
  return (await wait(look, timeoutMs, isAbandoned)) ?? latest;
}
