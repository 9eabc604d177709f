import { commandPayload, isSending } from "../commands.ts";
import type { CommandState, SendingPayload } from "../commands.ts";
import type { ErrorCode } from "../errors.ts";
import type { ScheduleFired } from "../events.ts";
import { messageIdFor, newCommandId } from "../ids.ts";
import type { CommandId, DeviceId, MessageId, ScheduleId, UserId } from "../ids.ts";
import { HORIZON_SECONDS } from "../schedules.ts";
import type { ScheduleState } from "../schedules.ts";
import * as commands from "./commands.ts";
import * as devices from "./devices.ts";
import * as events from "./events.ts";
import { execute, isDuplicate, parseJson, select, transaction } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";

export type Schedule = {
  scheduleId: ScheduleId;
  deviceId: DeviceId;
  /** Whom the device belonged to when the schedule was made. */
  userId: UserId;
  recipient: string;
  /** Null when it has been fired, cancelled or has failed: its content is not kept here. */
  payload: SendingPayload | null;
  /** `YYYY-MM-DD HH:mm:ss` in the zone, as it was asked for. */
  wallTime: string;
  timeZone: string;
  dueAt: Date;
  /** By the database's clock; negative when it is over. */
  dueInMs: number;
  state: ScheduleState;
  /** What it has become, and how far that has come. */
  commandId: CommandId | null;
  messageId: MessageId | null;
  commandState: CommandState | null;
  /** Why it, or its message, has failed. */
  errorCode: string | null;
  fingerprint: Buffer | null;
  createdAt: Date;
  endedAt: Date | null;
};

export type NewSchedule = Pick<Schedule, "scheduleId" | "deviceId" | "userId" | "wallTime" | "timeZone" | "dueAt"> & {
  payload: SendingPayload;
  idempotency?: { key: string; fingerprint: Buffer };
};

const COLUMNS = `s.schedule_id AS scheduleId, s.device_id AS deviceId, s.user_id AS userId, s.recipient, s.payload,
  s.wall_time AS wallTime, s.time_zone AS timeZone, s.due_at AS dueAt,
  TIMESTAMPDIFF(MICROSECOND, NOW(3), s.due_at) / 1000 AS dueInMs, s.state, s.command_id AS commandId,
  c.state AS commandState, COALESCE(s.error_code, c.error_code) AS errorCode, s.fingerprint, s.created_at AS createdAt,
  s.ended_at AS endedAt`;
const FROM = "FROM schedules s LEFT JOIN commands c ON c.command_id = s.command_id";
/** A device of this id that was made after the first one was removed has nothing to do with it. */
const OF_DEVICE = "JOIN devices d ON d.device_id = s.device_id AND d.user_id = s.user_id";

/** False when the user has used the idempotency key before: `getByIdempotencyKey` tells for what. */
export async function create(database: Database, schedule: NewSchedule): Promise<boolean> {
  const sql = `INSERT INTO schedules
      (schedule_id, device_id, user_id, recipient, payload, wall_time, time_zone, due_at, idempotency_key, fingerprint)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  const { payload, idempotency } = schedule;
  try {
    await execute(database.pool, sql, [
      schedule.scheduleId,
      schedule.deviceId,
      schedule.userId,
      payload.to,
      JSON.stringify(payload),
      schedule.wallTime,
      schedule.timeZone,
      schedule.dueAt,
      idempotency?.key ?? null,
      idempotency?.fingerprint ?? null,
    ]);
    return true;
  } catch (error) {
    if (idempotency && isDuplicate(error)) return false;
    throw error;
  }
}

export async function get(database: Database, scheduleId: ScheduleId): Promise<Schedule | undefined> {
  const sql = `SELECT ${COLUMNS} ${FROM} WHERE s.schedule_id = ?`;
  const [row] = await select<Row>(database.pool, sql, [scheduleId]);
  return row && fromRow(row);
}

export async function getByIdempotencyKey(
  database: Database,
  userId: UserId,
  key: string,
): Promise<Schedule | undefined> {
  const sql = `SELECT ${COLUMNS} ${FROM} WHERE s.user_id = ? AND s.idempotency_key = ?`;
  const [row] = await select<Row>(database.pool, sql, [userId, key]);
  return row && fromRow(row);
}

/** A page of a device's schedules, newest first, and how many there are. The caller has made sure that it may be seen. */
export async function list(
  database: Database,
  deviceId: DeviceId,
  state: ScheduleState | undefined,
  page: { limit: number; offset: number },
): Promise<{ schedules: Schedule[]; total: number }> {
  const where = `${OF_DEVICE} WHERE s.device_id = ? AND (? IS NULL OR s.state = ?)`;
  const values = [deviceId, state ?? null, state ?? null];
  const limit = `LIMIT ${Math.trunc(page.limit)} OFFSET ${Math.trunc(page.offset)}`;
  const sql = `SELECT ${COLUMNS} ${FROM} ${where} ORDER BY s.schedule_id DESC ${limit}`;
  const rows = await select<Row>(database.pool, sql, values);
  const count = `SELECT COUNT(*) AS total FROM schedules s ${where}`;
  const [counted] = await select<{ total: number }>(database.pool, count, values);
  return { schedules: rows.map(fromRow), total: counted?.total ?? 0 };
}

/** Whether so many schedules of a device, or more, wait for their time. */
export async function isBacklog(database: Database, deviceId: DeviceId, count: number): Promise<boolean> {
  const sql = `SELECT 1 FROM schedules WHERE device_id = ? AND state = 'scheduled'
    LIMIT 1 OFFSET ${Math.trunc(count) - 1}`;
  return (await select(database.pool, sql, [deviceId])).length > 0;
}

/** Somebody will wake the host for it. */
export async function markArmed(database: Database, scheduleId: ScheduleId): Promise<void> {
  await execute(database.pool, "UPDATE schedules SET is_armed = 1 WHERE schedule_id = ?", [scheduleId]);
}

/**
 * Those for which nobody was found to wake the host, though that is some time ago, with the shards of their devices; at
 * most `limit`, those due first.
 */
export async function listUnarmed(
  database: Database,
  limit: number,
): Promise<(Pick<Schedule, "scheduleId" | "deviceId" | "dueAt"> & { shard: number })[]> {
  const sql = `SELECT s.schedule_id AS scheduleId, s.device_id AS deviceId, s.due_at AS dueAt, d.shard
    FROM schedules s ${OF_DEVICE}
    WHERE s.state = 'scheduled' AND s.is_armed = 0 AND s.created_at < NOW(3) - INTERVAL 30 SECOND
    ORDER BY s.due_at LIMIT ${Math.trunc(limit)}`;
  return await select(database.pool, sql);
}

/** Ends a schedule before its time. False: it has been fired, or has ended otherwise, and stays so. */
export async function cancel(database: Database, scheduleId: ScheduleId): Promise<boolean> {
  const sql = `UPDATE schedules SET state = 'cancelled', payload = NULL, ended_at = NOW(3)
    WHERE schedule_id = ? AND state = 'scheduled'`;
  return (await execute(database.pool, sql, [scheduleId])) > 0;
}

/** Cancels everything of a device that was removed or wiped. */
export async function cancelAll(database: Database, deviceId: DeviceId): Promise<void> {
  const sql = `UPDATE schedules SET state = 'cancelled', payload = NULL, ended_at = NOW(3)
    WHERE device_id = ? AND state = 'scheduled'`;
  await execute(database.pool, sql, [deviceId]);
}

// ---- The owning host writes below; the device's epoch fences a former owner. ----

/** The schedule of a device that is due first. */
export async function next(database: Database, deviceId: DeviceId): Promise<Schedule | undefined> {
  const sql = `SELECT ${COLUMNS} ${FROM} ${OF_DEVICE} WHERE s.device_id = ? AND s.state = 'scheduled'
    ORDER BY s.due_at, s.schedule_id LIMIT 1`;
  const [row] = await select<Row>(database.pool, sql, [deviceId]);
  return row && fromRow(row);
}

/** Devices of a shard with a schedule that is due soon. */
export async function listDevicesToRun(database: Database, shard: number): Promise<devices.OwnedDevice[]> {
  const sql = `SELECT DISTINCT d.device_id AS deviceId, d.user_id AS userId, d.shard, d.desired = 'connected' AS isWanted
    FROM schedules s ${OF_DEVICE}
    WHERE s.state = 'scheduled' AND s.due_at < NOW(3) + INTERVAL ${HORIZON_SECONDS} SECOND AND d.shard = ?`;
  type Found = Omit<devices.OwnedDevice, "isWanted"> & { isWanted: number };
  const rows = await select<Found>(database.pool, sql, [shard]);
  return rows.map((row) => ({ ...row, isWanted: row.isWanted === 1 }));
}

/**
 * The time has come: makes a command of it, which is to be queued then. A cancellation that was answered comes before
 * this or after it, never beside it.
 * @returns the command; `no` when it was cancelled, or fired before; `fenced` when the device is another host's
 */
export async function fire(
  database: Database,
  schedule: Pick<Schedule, "scheduleId" | "deviceId" | "userId" | "payload">,
  epoch: number,
): Promise<CommandId | "no" | "fenced"> {
  const { scheduleId, deviceId, userId, payload } = schedule;
  if (!payload) return "no";
  return await transaction(database, async (runner) => {
    const held = await devices.hold(runner, [{ deviceId, epoch }], "waited for");
    if (!held.size) return "fenced";
    const commandId = newCommandId();
    const sql = `UPDATE schedules SET state = 'fired', command_id = ?, payload = NULL, ended_at = NOW(3)
      WHERE schedule_id = ? AND state = 'scheduled'`;
    if (!(await execute(runner, sql, [commandId, scheduleId]))) return "no";
    const messageId = messageIdFor(deviceId, commandId);
    await commands.insert(runner, { commandId, deviceId, userId, payload, messageId });
    const data = { scheduledMessageId: scheduleId, status: "fired" as const, to: payload.to, commandId, messageId };
    await tell(runner, held, schedule, data);
    return commandId;
  });
}

/** It could not be fired in time. False: it is not waiting any more, or the device is another host's. */
export async function fail(
  database: Database,
  schedule: Pick<Schedule, "scheduleId" | "deviceId" | "recipient">,
  epoch: number,
  errorCode: ErrorCode,
): Promise<boolean> {
  const { scheduleId, deviceId, recipient } = schedule;
  return await transaction(database, async (runner) => {
    const held = await devices.hold(runner, [{ deviceId, epoch }], "waited for");
    if (!held.size) return false;
    const sql = `UPDATE schedules SET state = 'failed', error_code = ?, payload = NULL, ended_at = NOW(3)
      WHERE schedule_id = ? AND state = 'scheduled'`;
    if (!(await execute(runner, sql, [errorCode, scheduleId]))) return false;
    const data = { scheduledMessageId: scheduleId, status: "failed" as const, to: recipient, reason: errorCode };
    await tell(runner, held, schedule, data);
    return true;
  });
}

async function tell(
  runner: Runner,
  held: devices.HeldDevices,
  { scheduleId, deviceId }: Pick<Schedule, "scheduleId" | "deviceId">,
  data: ScheduleFired["data"],
): Promise<void> {
  const dedupeKey = `schedule.fired|${scheduleId}`;
  const event = { type: "schedule.fired" as const, data, dedupeKey, occurredAt: new Date() };
  await events.appendHeld(runner, held, [{ deviceId, event }]);
}

type Row = Omit<Schedule, "payload" | "messageId" | "dueInMs"> & { payload: unknown; dueInMs: number | string };
function fromRow(row: Row): Schedule {
  const payload = parseJson(row.payload);
  const parsed = payload ? commandPayload.parse(payload) : null;
  const { deviceId, commandId } = row;
  return {
    ...row,
    dueInMs: Number(row.dueInMs),
    payload: parsed && isSending(parsed) ? parsed : null,
    messageId: commandId && messageIdFor(deviceId, commandId),
  };
}
