import type { SendingPayload } from "./commands.ts";
import * as commands from "./db/commands.ts";
import type { Device } from "./db/devices.ts";
import * as jobs from "./db/jobs.ts";
import type { Job } from "./db/jobs.ts";
import type { Database } from "./db/pool.ts";
import type { Idempotency } from "./dispatch.ts";
import { newCommandId, newJobId } from "./ids.ts";
import type { UserId } from "./ids.ts";
import { MAX_OPEN_JOBS } from "./jobs.ts";
import type { JobType } from "./jobs.ts";
import type { Log } from "./log.ts";
import type { CommandQueues } from "./queue.ts";

/** `isReplay`: the key was used before for the same request; there is no second job. */
export type DispatchedJob =
  | { outcome: "dispatched"; job: Job; isReplay: boolean }
  | { outcome: "mismatch" }
  | { outcome: "full" };

type Services = { database: Database; queues: CommandQueues; log: Log };
type Target = Pick<Device, "deviceId" | "userId" | "shard">;
/** Items may be made only when they are needed: not for a key that was used before. */
export type NewWork = {
  type: JobType;
  delayMs: number | null;
  items: readonly SendingPayload[] | (() => Promise<readonly SendingPayload[]>);
};

/**
 * Accepts a job: its rows are all of it. `mismatch`: the key was used before for another request. `full`: too many jobs
 * of the device wait already.
 */
export async function dispatchJob(
  services: Services,
  device: Target,
  work: NewWork,
  idempotency: Idempotency | undefined,
): Promise<DispatchedJob> {
  const { database } = services;
  const { deviceId, userId } = device;
  const before = idempotency && (await findJobReplay(database, userId, idempotency));
  if (before) return before;
  if (idempotency && (await commands.getByIdempotencyKey(database, userId, idempotency.key)))
    return { outcome: "mismatch" };
  if (await jobs.isBacklog(database, deviceId, MAX_OPEN_JOBS)) return { outcome: "full" };
  const items = typeof work.items === "function" ? await work.items() : work.items;
  const jobId = newJobId();
  const row = { jobId, deviceId, userId, ...work, items, ...(idempotency && { idempotency }) };
  const isNew = await jobs.create(database, row);
  const replay = !isNew && idempotency ? await findJobReplay(database, userId, idempotency) : undefined;
  if (replay) return replay;
  await wakeJobs(services, device);
  const job = await jobs.get(database, jobId);
  if (!job) throw new Error(`the row of job ${jobId} has vanished`);
  return { outcome: "dispatched", job, isReplay: false };
}

/** What became of the request that used the key before; undefined when no job has. */
export async function findJobReplay(
  database: Database,
  userId: UserId,
  { key, fingerprint }: Idempotency,
): Promise<DispatchedJob | undefined> {
  const job = await jobs.getByIdempotencyKey(database, userId, key);
  if (!job) return undefined;
  if (job.fingerprint?.equals(fingerprint) !== true) return { outcome: "mismatch" };
  return { outcome: "dispatched", job, isReplay: true };
}

/** Tells the device's host that there is something to do. Only that it happens soon hangs on it: hosts look by themselves. */
export async function wakeJobs(
  { queues, log }: Pick<Services, "queues" | "log">,
  { deviceId, shard }: Pick<Target, "deviceId" | "shard">,
): Promise<void> {
  // Each has an id of its own, or the queue would take the second for the first.
  await queues
    .send(shard, { commandId: newCommandId(), deviceId, wakesJobs: true })
    .catch((err: unknown) => log.warn({ err, deviceId }, "the host was not woken for a job"));
}
