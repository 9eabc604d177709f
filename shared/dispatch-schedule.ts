import { armSchedule } from "./arm-schedule.ts";
import type { Device } from "./db/devices.ts";
import type { Database } from "./db/pool.ts";
import * as schedules from "./db/schedules.ts";
import type { NewSchedule, Schedule } from "./db/schedules.ts";
import type { Idempotency } from "./dispatch.ts";
import { newScheduleId } from "./ids.ts";
import type { UserId } from "./ids.ts";
import type { Log } from "./log.ts";
import type { CommandQueues } from "./queue.ts";
import type { Scheduler } from "./scheduler.ts";
import { MAX_OPEN_SCHEDULES } from "./schedules.ts";

/** `isReplay`: the key was used before for the same request; there is no second schedule. */
export type DispatchedSchedule =
  | { outcome: "dispatched"; schedule: Schedule; isReplay: boolean }
  | { outcome: "mismatch" }
  | { outcome: "full" };

type Services = { database: Database; queues: CommandQueues; scheduler: Scheduler; log: Log };
type Target = Pick<Device, "deviceId" | "userId" | "shard">;
type Plan = Pick<NewSchedule, "payload" | "wallTime" | "timeZone" | "dueAt">;

/**
 * Accepts a message for later: its row first, which is all of it; then somebody who wakes the host in time. That may
 * fail without harm: the sweep makes up for it, and hosts look by themselves.
 * `full`: too many of the device wait already.
 */
export async function dispatchSchedule(
  services: Services,
  device: Target,
  plan: Plan,
  idempotency: Idempotency | undefined,
): Promise<DispatchedSchedule> {
  const { database, log } = services;
  const { deviceId, userId, shard } = device;
  if (await schedules.isBacklog(database, deviceId, MAX_OPEN_SCHEDULES)) return { outcome: "full" };
  const scheduleId = newScheduleId();
  const row = { scheduleId, deviceId, userId, ...plan, ...(idempotency && { idempotency }) };
  const isNew = await schedules.create(database, row);
  const replay = !isNew && idempotency ? await findScheduleReplay(database, userId, idempotency) : undefined;
  if (replay) return replay;
  await armSchedule(services, row, shard).catch((err: unknown) => log.warn({ err, scheduleId }, "schedule not armed"));
  const schedule = await schedules.get(database, scheduleId);
  if (!schedule) throw new Error(`the row of schedule ${scheduleId} has vanished`);
  return { outcome: "dispatched", schedule, isReplay: false };
}

/** What became of the request that used the key before; undefined when no schedule has. */
export async function findScheduleReplay(
  database: Database,
  userId: UserId,
  { key, fingerprint }: Idempotency,
): Promise<DispatchedSchedule | undefined> {
  const schedule = await schedules.getByIdempotencyKey(database, userId, key);
  if (!schedule) return undefined;
  if (schedule.fingerprint?.equals(fingerprint) !== true) return { outcome: "mismatch" };
  return { outcome: "dispatched", schedule, isReplay: true };
}
