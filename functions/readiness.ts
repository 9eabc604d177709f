import { setTimeout as sleep } from "node:timers/promises";
import * as leases from "../shared/db/leases.ts";
import { select } from "../shared/db/pool.ts";
import type { Database } from "../shared/db/pool.ts";
import type { CommandQueues } from "../shared/queue.ts";

/** What a part has against being ready; undefined when it is. */
export type Readiness = Record<"database" | "queue" | "shards", string | undefined>;

/** A part that takes longer is as good as away for whoever waits for an answer. */
const PATIENCE_MS = 2_000;

/**
 * Looks at everything that a request needs: the database, the queue, and a living host for every shard. One queue
 * stands for all, which are of one service.
 */
export async function readiness(database: Database, queues: CommandQueues): Promise<Readiness> {
  const shards = async () => {
    const held = await leases.countHeld(database, queues.shards);
    return held < queues.shards ? `${held} of ${queues.shards} shards are held by a socket host` : undefined;
  };
  const parts = await Promise.all([
    complaint(async () => void (await select(database.pool, "SELECT 1"))),
    complaint(async () => await queues.check(0)),
    complaint(shards),
  ]);
  return { database: parts[0], queue: parts[1], shards: parts[2] };
}

/** Says no more of an error than that there was one: anybody may ask. */
async function complaint(look: () => Promise<string | undefined | void>): Promise<string | undefined> {
  const enough = new AbortController();
  const late = sleep(PATIENCE_MS, "does not answer in time", { signal: enough.signal });
  try {
    return (await Promise.race([look(), late])) ?? undefined;
  } catch {
    return "cannot be reached";
  } finally {
    enough.abort();
    late.catch(() => undefined);
  }
}
