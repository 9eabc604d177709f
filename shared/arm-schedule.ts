import * as schedules from "./db/schedules.ts";
import type { Schedule } from "./db/schedules.ts";
import type { Database } from "./db/pool.ts";
import type { CommandQueues } from "./queue.ts";
import type { Scheduler } from "./scheduler.ts";
import { wakeFor } from "./schedules.ts";

type Services = { database: Database; queues: CommandQueues; scheduler: Scheduler };

const MINUTE_MS = 60_000;
/** What is due sooner cannot be left to the scheduler, which might find its time in the past. */
const SOON_MS = 10_000;

/**
 * Sees to it that the host of the device is woken before a schedule is due: by EventBridge in the minute before that of
 * its time, since it keeps to the minute only; at once when that is too near. May be repeated. Throws when that cannot
 * be arranged now; the sweep tries again then.
 * @param shard that of the device
 */
export async function armSchedule(
  { database, queues, scheduler }: Services,
  { scheduleId, deviceId, dueAt }: Pick<Schedule, "scheduleId" | "deviceId" | "dueAt">,
  shard: number,
): Promise<void> {
  const message = wakeFor(scheduleId, deviceId);
  const wakeAt = Math.floor(dueAt.getTime() / MINUTE_MS) * MINUTE_MS - MINUTE_MS;
  if (wakeAt < Date.now() + SOON_MS) await queues.send(shard, message);
  else await scheduler.set(scheduleId, new Date(wakeAt), { queueArn: await queues.arnOf(shard), message });
  await schedules.markArmed(database, scheduleId);
}
