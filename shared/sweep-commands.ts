import { messageOf } from "./commands.ts";
import * as commands from "./db/commands.ts";
import type { Database } from "./db/pool.ts";
import type { CommandQueues } from "./queue.ts";

type Services = { database: Database; queues: CommandQueues };

/**
 * Commands that have waited for longer than a queue takes: their process may have died after their row was made. Puts
 * them into their queues once more, which does no harm to one that waits there, and every five minutes at most. At most
 * `limit`, the oldest first.
 * @returns how many there were
 */
export async function sweepCommands({ database, queues }: Services, limit: number): Promise<number> {
  const waiting = await commands.listToRequeue(database, limit);
  for (const shard of new Set(waiting.map((command) => command.shard))) {
    const ofShard = waiting.filter((command) => command.shard === shard);
    const messages = ofShard.map(({ commandId, deviceId, payload }) => messageOf(commandId, deviceId, payload));
    await queues.sendAll(shard, messages);
    await commands.markRequeued(
      database,
      ofShard.map(({ commandId }) => commandId),
    );
  }
  return waiting.length;
}
