import { execute } from "./db/pool.ts";
import type { Database } from "./db/pool.ts";
import { FINISHED_STATES } from "./commands.ts";
import { idsFrom } from "./ids.ts";
import { ENDED_JOB_STATES } from "./jobs.ts";
import { RESULTS_PREFIX } from "./results.ts";
import type { Storage } from "./storage.ts";

/** In days. History 0: for ever. */
export type Retention = { historyDays: number; eventDays: number; commandDays: number };

/** Rows of one statement, which holds no lock for long; and statements of one round. */
const BATCH = 1_000;
const MAX_BATCHES = 20;
/** With each job go its items, up to ten thousand. */
const JOB_BATCH = 2;
/** Clients read an answer within minutes. */
const RESULT_DAYS = 1;
const DAY_MS = 86_400_000;

const quoted = (states: readonly string[]) => states.map((state) => `'${state}'`).join(",");

/**
 * Removes what is older than it is kept: stored messages, events, and commands, jobs and schedules that have ended, oldest
 * first; and answers in the media bucket that nobody has fetched. What has not ended stays, however old.
 * @returns how many rows and objects; when there are very many, the next round goes on
 */
export async function enforceRetention(
  { database, media, now = Date.now() }: { database: Database; media: Storage; now?: number },
  { historyDays, eventDays, commandDays }: Retention,
): Promise<number> {
  const before = (days: number) => new Date(now - days * DAY_MS);
  // Ids begin with the time when they were made.
  const old = (prefix: string, days: number) => idsFrom(prefix, before(days));
  let removed = 0;
  if (historyDays) {
    const sql = `DELETE FROM messages WHERE sent_at < ? ORDER BY sent_at LIMIT ${BATCH}`;
    removed += await inBatches(database, sql, before(historyDays), BATCH);
  }
  const events = `DELETE FROM events WHERE event_id < ? ORDER BY event_id LIMIT ${BATCH}`;
  removed += await inBatches(database, events, old("evt", eventDays), BATCH);
  const commands = `DELETE FROM commands WHERE command_id < ? AND state IN (${quoted(FINISHED_STATES)})
    ORDER BY command_id LIMIT ${BATCH}`;
  removed += await inBatches(database, commands, old("cmd", commandDays), BATCH);
  const jobs = `DELETE FROM jobs WHERE job_id < ? AND state IN (${quoted(ENDED_JOB_STATES)})
    ORDER BY job_id LIMIT ${JOB_BATCH}`;
  removed += await inBatches(database, jobs, old("job", commandDays), JOB_BATCH);
  const schedules = `DELETE FROM schedules WHERE schedule_id < ? AND ended_at < ? ORDER BY schedule_id LIMIT ${BATCH}`;
  removed += await execute(database.pool, schedules, [old("sch", commandDays), before(commandDays)]);
  return removed + (await removeResults(media, old("cmd", RESULT_DAYS)));
}

async function inBatches(database: Database, sql: string, before: Date | string, batch: number): Promise<number> {
  let removed = 0;
  for (let round = 0; round < MAX_BATCHES; round++) {
    const count = await execute(database.pool, sql, [before]);
    removed += count;
    if (count < batch) break;
  }
  return removed;
}

/** A bucket that expires them by itself has none. */
async function removeResults(media: Storage, before: string): Promise<number> {
  const keys = await media.list(RESULTS_PREFIX);
  const old = keys.filter((key) => key < `${RESULTS_PREFIX}${before}`);
  if (old.length) await media.delete(old);
  return old.length;
}
