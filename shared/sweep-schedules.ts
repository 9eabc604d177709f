import { armSchedule } from "./arm-schedule.ts";
import type { Database } from "./db/pool.ts";
import * as schedules from "./db/schedules.ts";
import type { Log } from "./log.ts";
import type { CommandQueues } from "./queue.ts";
import type { Scheduler } from "./scheduler.ts";

type Services = { database: Database; queues: CommandQueues; scheduler: Scheduler; log: Log };

/** Requests to the scheduler at once: it takes one schedule each. */
const AT_ONCE = 10;

/**
 * Schedules whose process died, or whose scheduler did not answer, after their row was made: has somebody wake their
 * hosts. At most `limit`, those due first.
 * @returns how many there were
 */
export async function sweepSchedules(services: Services, limit: number): Promise<number> {
  const found = await schedules.listUnarmed(services.database, limit);
  for (let at = 0; at < found.length; at += AT_ONCE) {
    await Promise.all(found.slice(at, at + AT_ONCE).map((schedule) => arm(services, schedule)));
  }
  return found.length;
}

async function arm(services: Services, schedule: Awaited<ReturnType<typeof schedules.listUnarmed>>[number]) {
  const { scheduleId, shard } = schedule;
  await armSchedule(services, schedule, shard).catch((err: unknown) =>
    services.log.warn({ err, scheduleId }, "schedule not armed"),
  );
}
