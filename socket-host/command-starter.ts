import * as commands from "../shared/db/commands.ts";
import type { Database } from "../shared/db/pool.ts";
import type { CommandId, DeviceId } from "../shared/ids.ts";
import { groupWork } from "../shared/group-work.ts";

/** See `commands.startSending`. */
export type StartSending = (command: { commandId: CommandId; deviceId: DeviceId; epoch: number }) => Promise<boolean>;

const MAX_TOGETHER = 50;

/** Begins together what the devices of a host are about to send at about the same time. */
export function commandStarter(database: Database): StartSending {
  return groupWork(async (wanted) => {
    const started = await commands.startSending(database, wanted);
    return ({ commandId }) => started.has(commandId);
  }, MAX_TOGETHER);
}
