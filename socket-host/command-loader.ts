import type { CommandMessage } from "../shared/commands.ts";
import * as commands from "../shared/db/commands.ts";
import type { Command } from "../shared/db/commands.ts";
import * as devices from "../shared/db/devices.ts";
import type { OwnedDevice } from "../shared/db/devices.ts";
import type { Database } from "../shared/db/pool.ts";
import { groupWork } from "../shared/group-work.ts";

/** What a queue message points to, undefined where there is none any more. */
export type Loaded = { owned: OwnedDevice | undefined; command: Command | undefined };
export type LoadCommand = (message: CommandMessage) => Promise<Loaded>;

const MAX_TOGETHER = 50;

/** Reads together what the queues of a host bring at about the same time. */
export function commandLoader(database: Database): LoadCommand {
  return groupWork(async (messages: readonly CommandMessage[]) => {
    const [owned, found] = await Promise.all([
      devices.getAllOwned(database, [...new Set(messages.map(({ deviceId }) => deviceId))]),
      commands.getAll(
        database,
        messages.map(({ commandId }) => commandId),
      ),
    ]);
    return ({ deviceId, commandId }) => ({ owned: owned.get(deviceId), command: found.get(commandId) });
  }, MAX_TOGETHER);
}
