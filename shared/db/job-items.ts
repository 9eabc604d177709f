import { commandPayload, isSending } from "../commands.ts";
import type { SendingPayload } from "../commands.ts";
import { RUNNING_JOB_STATES } from "../jobs.ts";
import type { ItemState } from "../jobs.ts";
import type { DeviceId, JobId, MessageId } from "../ids.ts";
import * as devices from "./devices.ts";
import * as events from "./events.ts";
import * as jobs from "./jobs.ts";
import { execute, parseJson, select, transaction } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";

export type JobItem = {
  jobId: JobId;
  deviceId: DeviceId;
  index: number;
  recipient: string;
  /** Null when it has an outcome: its content is not kept. */
  payload: SendingPayload | null;
  messageId: MessageId;
  state: ItemState;
  errorCode: string | null;
  errorDetail: string | null;
  finishedAt: Date | null;
};
type Id = Pick<JobItem, "jobId" | "deviceId" | "index">;
export type ItemOutcome = { state: "accepted" } | { state: "failed"; errorCode: string; errorDetail?: string };

const COLUMNS = `job_id AS jobId, device_id AS deviceId, item_index AS \`index\`, recipient, payload,
  message_id AS messageId, state, error_code AS errorCode, error_detail AS errorDetail, finished_at AS finishedAt`;
const UNRESOLVED = "'sending', 'unknown'";

/** Progress is told when a job has come a twentieth further: no more than 20 times, however long it is. */
const PROGRESS_STEPS = 20;

/** A page of the items that have an outcome, in their order. */
export async function listResults(
  database: Database,
  jobId: JobId,
  page: { limit: number; offset: number },
): Promise<JobItem[]> {
  const sql = `SELECT ${COLUMNS} FROM job_items WHERE job_id = ? AND finished_at IS NOT NULL ORDER BY item_index
    LIMIT ${Math.trunc(page.limit)} OFFSET ${Math.trunc(page.offset)}`;
  return (await select<Row>(database.pool, sql, [jobId])).map(fromRow);
}

/** The first item of a job that was not begun. */
export async function next(database: Database, jobId: JobId): Promise<JobItem | undefined> {
  const sql = `SELECT ${COLUMNS} FROM job_items WHERE job_id = ? AND state = 'queued' ORDER BY item_index LIMIT 1`;
  const [row] = await select<Row>(database.pool, sql, [jobId]);
  return row && fromRow(row);
}

/** Items of a device that were begun and have no outcome, oldest first. */
export async function listUnresolved(database: Database, deviceId: DeviceId): Promise<JobItem[]> {
  const sql = `SELECT ${COLUMNS} FROM job_items WHERE device_id = ? AND state IN (${UNRESOLVED})
    ORDER BY job_id, item_index`;
  return (await select<Row>(database.pool, sql, [deviceId])).map(fromRow);
}

/** Of these messages of devices, those that are items. */
export async function listByMessageId(
  runner: Runner,
  wanted: readonly { deviceId: DeviceId; messageIds: readonly string[] }[],
): Promise<JobItem[]> {
  const conditions = wanted.map(
    ({ messageIds }) => `(device_id = ? AND message_id IN (${messageIds.map(() => "?").join(",")}))`,
  );
  const sql = `SELECT ${COLUMNS} FROM job_items WHERE ${conditions.join(" OR ")}`;
  const values = wanted.flatMap(({ deviceId, messageIds }) => [deviceId, ...messageIds]);
  return (await select<Row>(runner, sql, values)).map(fromRow);
}

// ---- The owning host writes below, each time after it has locked the device's row, then the job's. ----

/**
 * Marks an item as being sent. A pause or a cancellation that was answered comes before this or after it, never beside
 * it. `no`: it has been begun, or its job does not run.
 */
export async function begin(database: Database, { jobId, deviceId, index }: Id, epoch: number) {
  return await transaction(database, async (runner): Promise<"begun" | "no" | "fenced"> => {
    if (!(await isHeld(runner, deviceId, epoch))) return "fenced";
    const job = await jobs.lock(runner, jobId);
    if (!job || !RUNNING_JOB_STATES.includes(job.state)) return "no";
    const sql = "UPDATE job_items SET state = 'sending' WHERE job_id = ? AND item_index = ? AND state = 'queued'";
    if (!(await execute(runner, sql, [jobId, index]))) return "no";
    const started = "UPDATE jobs SET state = 'processing', started_at = COALESCE(started_at, NOW(3)) WHERE job_id = ?";
    await execute(runner, started, [jobId]);
    return "begun";
  });
}

/** Marks an item that was begun as being sent again. False: it has an outcome, or the device is another host's. */
export async function beginAgain(database: Database, { jobId, deviceId, index }: Id, epoch: number): Promise<boolean> {
  return await transaction(database, async (runner) => {
    if (!(await isHeld(runner, deviceId, epoch))) return false;
    const id = [jobId, index];
    const where = `WHERE job_id = ? AND item_index = ? AND state IN (${UNRESOLVED})`;
    await execute(runner, `UPDATE job_items SET state = 'sending' ${where}`, id);
    return (await select(runner, `SELECT 1 FROM job_items ${where}`, id)).length > 0;
  });
}

/** Sent, and no answer in time. A result that comes later still counts. */
export async function markUnknown(database: Database, { jobId, deviceId, index }: Id, epoch: number): Promise<void> {
  await transaction(database, async (runner) => {
    if (!(await isHeld(runner, deviceId, epoch))) return;
    const sql = "UPDATE job_items SET state = 'unknown' WHERE job_id = ? AND item_index = ? AND state = 'sending'";
    await execute(runner, sql, [jobId, index]);
  });
}

/**
 * Gives an item its outcome, counts it, tells of the job's progress, and ends the job with its last item. Told again, it
 * does nothing.
 */
export async function settle(
  runner: Runner,
  held: devices.HeldDevices,
  { jobId, index }: Pick<Id, "jobId" | "index">,
  outcome: ItemOutcome,
): Promise<void> {
  const before = await jobs.lock(runner, jobId);
  if (!before) return;
  const sql = `UPDATE job_items SET state = ?, error_code = ?, error_detail = ?, payload = NULL, finished_at = NOW(3)
    WHERE job_id = ? AND item_index = ? AND finished_at IS NULL AND state <> 'cancelled'`;
  const why = outcome.state === "failed" ? [outcome.errorCode, outcome.errorDetail ?? null] : [null, null];
  if (!(await execute(runner, sql, [outcome.state, ...why, jobId, index]))) return;
  const succeeded = before.succeeded + (outcome.state === "accepted" ? 1 : 0);
  const failed = before.failed + (outcome.state === "failed" ? 1 : 0);
  const hasEnded = succeeded + failed === before.total && before.state !== "cancelled";
  const state = hasEnded ? (succeeded ? "completed" : "failed") : before.state;
  const job = { ...before, succeeded, failed, state };
  const count = `UPDATE jobs SET succeeded = ?, failed = ?, state = ?, started_at = COALESCE(started_at, NOW(3)),
    finished_at = IF(?, NOW(3), finished_at), reason = IF(?, NULL, reason), reason_detail = IF(?, NULL, reason_detail)
    WHERE job_id = ?`;
  const ended = hasEnded ? 1 : 0;
  await execute(runner, count, [succeeded, failed, state, ended, ended, ended, jobId]);
  if (hasEnded) return await jobs.announceEnd(runner, held, job);
  const done = succeeded + failed;
  const stepsOf = (count: number) => Math.floor((count * PROGRESS_STEPS) / job.total);
  if (before.state === "cancelled" || stepsOf(done) === stepsOf(done - 1)) return;
  const data = { jobId, status: "processing" as const, ...jobs.progressOf(job) };
  const dedupeKey = `job.progress|${jobId}|${done}`;
  const event = { type: "job.progress" as const, data, dedupeKey, occurredAt: new Date() };
  await events.appendHeld(runner, held, [{ deviceId: job.deviceId, event }]);
}

/** A receipt came. False when the state is as far already. */
export async function markReceived(
  runner: Runner,
  { jobId, index }: Pick<Id, "jobId" | "index">,
  state: "delivered" | "read",
): Promise<boolean> {
  const before = state === "read" ? "'accepted','delivered'" : "'accepted'";
  const sql = `UPDATE job_items SET state = ? WHERE job_id = ? AND item_index = ? AND state IN (${before})`;
  return (await execute(runner, sql, [state, jobId, index])) > 0;
}

const isHeld = async (runner: Runner, deviceId: DeviceId, epoch: number) =>
  (await devices.hold(runner, [{ deviceId, epoch }], "waited for")).size > 0;

type Row = Omit<JobItem, "payload"> & { payload: unknown };
function fromRow(row: Row): JobItem {
  const payload = parseJson(row.payload);
  const parsed = payload ? commandPayload.parse(payload) : null;
  return { ...row, payload: parsed && isSending(parsed) ? parsed : null };
}
