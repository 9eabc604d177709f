import type { SendingPayload } from "../commands.ts";
import { RUNNING_JOB_STATES } from "../jobs.ts";
import type { JobState, JobType } from "../jobs.ts";
import { messageIdFor } from "../ids.ts";
import type { DeviceId, JobId, UserId } from "../ids.ts";
import * as devices from "./devices.ts";
import * as events from "./events.ts";
import { execute, isDuplicate, select, transaction } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";
import { visibleDevices } from "./visible-devices.ts";
import type { Viewer } from "./visible-devices.ts";

export type Job = {
  jobId: JobId;
  deviceId: DeviceId;
  /** Whom the device belonged to when the job was made. */
  userId: UserId;
  type: JobType;
  state: JobState;
  /** Why it is paused: `requested`, or an error code; and words for people. */
  reason: string | null;
  reasonDetail: string | null;
  /** Null: 2 to 5 s at random. */
  delayMs: number | null;
  total: number;
  succeeded: number;
  failed: number;
  fingerprint: Buffer | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
};

export type NewJob = Pick<Job, "jobId" | "deviceId" | "userId" | "type" | "delayMs"> & {
  items: readonly SendingPayload[];
  idempotency?: { key: string; fingerprint: Buffer };
};

const COLUMNS = `j.job_id AS jobId, j.device_id AS deviceId, j.user_id AS userId, j.type, j.state, j.reason,
  j.reason_detail AS reasonDetail, j.delay_ms AS delayMs, j.total, j.succeeded, j.failed, j.fingerprint,
  j.created_at AS createdAt, j.started_at AS startedAt, j.finished_at AS finishedAt`;
const RUNNING = RUNNING_JOB_STATES.map((state) => `'${state}'`).join(",");
const OPEN = `${RUNNING},'paused'`;
const ITEMS_AT_ONCE = 500;
/** A function owns no device: it writes in order with the host, by the lock on the device's row. */
const ANY_EPOCH = Number.MAX_SAFE_INTEGER;

/** False when the user has used the idempotency key before: `getByIdempotencyKey` tells for what. */
export async function create(database: Database, job: NewJob): Promise<boolean> {
  const { jobId, deviceId, userId, items, idempotency } = job;
  try {
    await transaction(database, async (runner) => {
      await execute(
        runner,
        `INSERT INTO jobs (job_id, device_id, user_id, type, delay_ms, total, idempotency_key, fingerprint)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          jobId,
          deviceId,
          userId,
          job.type,
          job.delayMs,
          items.length,
          idempotency?.key ?? null,
          idempotency?.fingerprint ?? null,
        ],
      );
      for (let at = 0; at < items.length; at += ITEMS_AT_ONCE) {
        const page = items.slice(at, at + ITEMS_AT_ONCE);
        await execute(
          runner,
          `INSERT INTO job_items (job_id, item_index, device_id, recipient, payload, message_id)
           VALUES ${page.map(() => "(?, ?, ?, ?, ?, ?)").join(",")}`,
          page.flatMap((item, index) => [
            jobId,
            at + index,
            deviceId,
            item.to,
            JSON.stringify(item),
            messageIdFor(deviceId, `${jobId}:${at + index}`),
          ]),
        );
      }
    });
    return true;
  } catch (error) {
    if (idempotency && isDuplicate(error)) return false;
    throw error;
  }
}

export async function get(database: Database, jobId: JobId): Promise<Job | undefined> {
  const [job] = await select<Job>(database.pool, `SELECT ${COLUMNS} FROM jobs j WHERE j.job_id = ?`, [jobId]);
  return job;
}

export async function getByIdempotencyKey(database: Database, userId: UserId, key: string): Promise<Job | undefined> {
  const sql = `SELECT ${COLUMNS} FROM jobs j WHERE j.user_id = ? AND j.idempotency_key = ?`;
  const [job] = await select<Job>(database.pool, sql, [userId, key]);
  return job;
}

/** A page of the jobs of devices that the viewer may see, newest first, and how many there are. */
export async function list(
  database: Database,
  viewer: Viewer,
  filter: { deviceId: DeviceId | undefined; state: JobState | undefined },
  page: { limit: number; offset: number },
): Promise<{ jobs: Job[]; total: number }> {
  const visible = visibleDevices(viewer);
  const from = `FROM jobs j JOIN devices d ON d.device_id = j.device_id AND d.user_id = j.user_id
    WHERE ${visible.sql} AND (? IS NULL OR j.device_id = ?) AND (? IS NULL OR j.state = ?)`;
  const [deviceId, state] = [filter.deviceId ?? null, filter.state ?? null];
  const values = [...visible.values, deviceId, deviceId, state, state];
  const limit = `LIMIT ${Math.trunc(page.limit)} OFFSET ${Math.trunc(page.offset)}`;
  const jobs = await select<Job>(database.pool, `SELECT ${COLUMNS} ${from} ORDER BY j.job_id DESC ${limit}`, values);
  const [count] = await select<{ total: number }>(database.pool, `SELECT COUNT(*) AS total ${from}`, values);
  return { jobs, total: count?.total ?? 0 };
}

/** Whether so many jobs of a device, or more, have not ended. */
export async function isBacklog(database: Database, deviceId: DeviceId, count: number): Promise<boolean> {
  const sql = `SELECT 1 FROM jobs WHERE device_id = ? AND state IN (${OPEN}) LIMIT 1 OFFSET ${Math.trunc(count) - 1}`;
  return (await select(database.pool, sql, [deviceId])).length > 0;
}

/** No item begins after this has resolved. False: it has ended, or is paused already. */
export async function pause(database: Database, jobId: JobId): Promise<boolean> {
  const sql = `UPDATE jobs SET state = 'paused', reason = 'requested', reason_detail = NULL
    WHERE job_id = ? AND state IN (${RUNNING})`;
  return (await execute(database.pool, sql, [jobId])) > 0;
}

/** False: it was not paused. */
export async function resume(database: Database, jobId: JobId): Promise<boolean> {
  const sql = `UPDATE jobs SET state = IF(started_at IS NULL, 'queued', 'processing'), reason = NULL, reason_detail = NULL
    WHERE job_id = ? AND state = 'paused'`;
  return (await execute(database.pool, sql, [jobId])) > 0;
}

/**
 * Ends a job and erases what was not sent. No item begins after this has resolved; one that is on its way still gets its
 * outcome. False: it has ended.
 */
export async function cancel(
  database: Database,
  { jobId, deviceId }: Pick<Job, "jobId" | "deviceId">,
): Promise<boolean> {
  return await transaction(database, async (runner) => {
    const held = await devices.hold(runner, [{ deviceId, epoch: ANY_EPOCH }], "waited for");
    const sql = `UPDATE jobs SET state = 'cancelled', reason = NULL, reason_detail = NULL, finished_at = NOW(3)
      WHERE job_id = ? AND state IN (${OPEN})`;
    if (!(await execute(runner, sql, [jobId]))) return false;
    const erase = "UPDATE job_items SET state = 'cancelled', payload = NULL WHERE job_id = ? AND state = 'queued'";
    await execute(runner, erase, [jobId]);
    const [job] = await select<Job>(runner, `SELECT ${COLUMNS} FROM jobs j WHERE j.job_id = ?`, [jobId]);
    if (job && held.size) await announceEnd(runner, held, job);
    return true;
  });
}

/** Cancels everything of a device that was removed. */
export async function cancelAll(database: Database, deviceId: DeviceId): Promise<void> {
  const sql = `SELECT ${COLUMNS} FROM jobs j WHERE j.device_id = ? AND j.state IN (${OPEN})`;
  for (const job of await select<Job>(database.pool, sql, [deviceId])) await cancel(database, job);
}

// ---- The owning host writes below; the device's epoch fences a former owner. ----

/** The job of a device whose turn it is: the oldest that runs and has items to begin. */
export async function next(database: Database, deviceId: DeviceId): Promise<Job | undefined> {
  const sql = `SELECT ${COLUMNS} FROM jobs j JOIN devices d ON d.device_id = j.device_id AND d.user_id = j.user_id
    WHERE j.device_id = ? AND j.state IN (${RUNNING})
      AND EXISTS (SELECT 1 FROM job_items i WHERE i.job_id = j.job_id AND i.state = 'queued')
    ORDER BY j.job_id LIMIT 1`;
  const [job] = await select<Job>(database.pool, sql, [deviceId]);
  return job;
}

/** Devices of a shard with a job that runs. */
export async function listDevicesToRun(database: Database, shard: number): Promise<devices.OwnedDevice[]> {
  const sql = `SELECT DISTINCT d.device_id AS deviceId, d.user_id AS userId, d.shard, d.desired = 'connected' AS isWanted
    FROM jobs j JOIN devices d ON d.device_id = j.device_id AND d.user_id = j.user_id
    WHERE j.state IN (${RUNNING}) AND d.shard = ?`;
  type Found = Omit<devices.OwnedDevice, "isWanted"> & { isWanted: number };
  const rows = await select<Found>(database.pool, sql, [shard]);
  return rows.map((row) => ({ ...row, isWanted: row.isWanted === 1 }));
}

/** Takes a job's row for the rest of the transaction, which has locked the device's row before. */
export async function lock(runner: Runner, jobId: JobId): Promise<Job | undefined> {
  const [job] = await select<Job>(runner, `SELECT ${COLUMNS} FROM jobs j WHERE j.job_id = ? FOR UPDATE`, [jobId]);
  return job;
}

/** Something stands in the way of all its items: it waits for a person. Nothing happens to one that does not run. */
export async function pauseFor(
  runner: Runner,
  held: devices.HeldDevices,
  job: Job,
  why: { errorCode: string; errorDetail?: string },
): Promise<void> {
  const { jobId, deviceId } = job;
  const sql = `UPDATE jobs SET state = 'paused', reason = ?, reason_detail = ? WHERE job_id = ? AND state IN (${RUNNING})`;
  if (!(await execute(runner, sql, [why.errorCode, why.errorDetail ?? null, jobId]))) return;
  const data = { jobId, status: "paused" as const, reason: why.errorCode, ...progressOf(job) };
  const event = { type: "job.progress" as const, data, dedupeKey: null, occurredAt: new Date() };
  await events.appendHeld(runner, held, [{ deviceId, event }]);
}

export const progressOf = ({ total, succeeded, failed }: Pick<Job, "total" | "succeeded" | "failed">) => ({
  total,
  successCount: succeeded,
  errorCount: failed,
});

/** Once for each job, however often it is called. */
export async function announceEnd(runner: Runner, held: devices.HeldDevices, job: Job): Promise<void> {
  const { jobId, deviceId, state } = job;
  if (state !== "completed" && state !== "failed" && state !== "cancelled") return;
  const data = { jobId, status: state, ...progressOf(job) };
  const dedupeKey = `job.finished|${jobId}`;
  const event = { type: "job.finished" as const, data, dedupeKey, occurredAt: new Date() };
  await events.appendHeld(runner, held, [{ deviceId, event }]);
}
