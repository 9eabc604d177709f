import * as events from "./db/events.ts";
import { transaction } from "./db/pool.ts";
import type { Database } from "./db/pool.ts";
import { withoutContent } from "./without-content.ts";

/** What one transaction erases, and what one round does at most. */
const BATCH = 200;
const MAX_BATCHES = 25;

/**
 * Erases the content of events of numbers whose messages are not kept: when they are older than a client that asks for
 * events needs to read them, and nobody is to be told of them any more. Those that somebody is to be told of are looked at
 * again after the same time.
 * @param afterMinutes how long a client that asks may take
 * @returns how many were erased; when there are very many, the next round goes on
 */
export async function erasePayloads(database: Database, afterMinutes: number): Promise<number> {
  let erased = 0;
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const looked = await transaction(database, async (runner) => {
      const due = await events.lockUnkept(runner, afterMinutes, BATCH);
      const ended = due.filter((one) => !one.isPending);
      await events.postpone(
        runner,
        due.filter((one) => one.isPending).map(({ id }) => id),
      );
      await events.erase(
        runner,
        ended.map(({ id, body }) => ({ id, data: withoutContent(body).data })),
      );
      return { due: due.length, ended: ended.length };
    });
    erased += looked.ended;
    if (looked.due < BATCH) break;
  }
  return erased;
}
