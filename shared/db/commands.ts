import * as z from "zod";
import { ALL_DEVICES, commandPayload, FINISHED_STATES, secondsToBegin } from "../commands.ts";
import type { CommandKind, CommandPayload, CommandState } from "../commands.ts";
import type { CommandId, DeviceId, MessageId, UserId } from "../ids.ts";
import { execute, isDuplicate, parseJson, select } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";
import { parseTrace } from "../trace.ts";
import type { Trace } from "../trace.ts";

export type Command = {
  commandId: CommandId;
  deviceId: DeviceId;
  userId: UserId;
  kind: CommandKind;
  /** Null when the command is finished: its content is not kept. */
  payload: CommandPayload | null;
  /** Its content is nothing that this version knows: `payload` is null, though it is not finished. */
  isOfLaterVersion: boolean;
  state: CommandState;
  messageId: MessageId | null;
  result: Record<string, unknown> | null;
  errorCode: string | null;
  errorDetail: string | null;
  fingerprint: Buffer | null;
  /** Of the request that asked for it. */
  trace: Trace | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
};

export type NewCommand = {
  commandId: CommandId;
  deviceId: DeviceId;
  userId: UserId;
  payload: CommandPayload;
  messageId: MessageId | null;
  idempotency?: { key: string; fingerprint: Buffer };
  trace?: Trace;
};

/** Not begun in time: shown as failed from that moment on, whenever `expire` comes to write it down. */
const OVERDUE = "state = 'queued' AND expires_at <= NOW(3)";
const COLUMNS = `command_id, device_id, user_id, kind, IF(${OVERDUE}, NULL, payload) AS payload,
  IF(${OVERDUE}, 'failed', state) AS state, message_id, result, IF(${OVERDUE}, 'expired', error_code) AS error_code,
  error_detail, fingerprint, traceparent, created_at, started_at, IF(${OVERDUE}, expires_at, finished_at) AS finished_at`;
type Row = {
  command_id: CommandId;
  device_id: DeviceId;
  user_id: UserId;
  kind: CommandKind;
  payload: unknown;
  state: CommandState;
  message_id: MessageId | null;
  result: unknown;
  error_code: string | null;
  error_detail: string | null;
  fingerprint: Buffer | null;
  traceparent: string | null;
  created_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
};
const resultColumn = z.record(z.string(), z.unknown()).nullable();
const FINISHED = FINISHED_STATES.map((state) => `'${state}'`).join(",");

/** False when the user has used the idempotency key before: `getByIdempotencyKey` tells for what. */
export async function create(database: Database, command: NewCommand): Promise<boolean> {
  try {
    await insert(database.pool, command);
    return true;
  } catch (error) {
    if (command.idempotency && isDuplicate(error)) return false;
    throw error;
  }
}

/** As `create`, in the caller's transaction. Throws when the idempotency key was used before. */
export async function insert(runner: Runner, command: NewCommand): Promise<void> {
  const sql = `INSERT INTO commands
      (command_id, device_id, user_id, kind, payload, message_id, idempotency_key, fingerprint, traceparent,
       expires_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NOW(3) + INTERVAL ? SECOND)`;
  await execute(runner, sql, [
    command.commandId,
    command.deviceId,
    command.userId,
    command.payload.kind,
    JSON.stringify(command.payload),
    command.messageId,
    command.idempotency?.key ?? null,
    command.idempotency?.fingerprint ?? null,
    command.trace ?? null,
    secondsToBegin(command.payload),
  ]);
}

export async function get(database: Database, commandId: CommandId): Promise<Command | undefined> {
  return (await getAll(database, [commandId])).get(commandId);
}

/** Those that exist. */
export async function getAll(database: Database, commandIds: readonly CommandId[]): Promise<Map<CommandId, Command>> {
  const sql = `SELECT ${COLUMNS} FROM commands WHERE command_id IN (${marks(commandIds)})`;
  const rows = await select<Row>(database.pool, sql, [...commandIds]);
  return new Map(rows.map((row) => [row.command_id, fromRow(row)]));
}

export async function getByIdempotencyKey(
  database: Database,
  userId: UserId,
  key: string,
): Promise<Command | undefined> {
  const sql = `SELECT ${COLUMNS} FROM commands WHERE user_id = ? AND idempotency_key = ?`;
  const [row] = await select<Row>(database.pool, sql, [userId, key]);
  return row && fromRow(row);
}

/** Messages of a device whose outcome is not known, oldest first: what is to be sent (again) after a login. */
export async function listOpenMessages(database: Database, deviceId: DeviceId): Promise<Command[]> {
  const sql = `SELECT ${COLUMNS} FROM commands
    WHERE device_id = ? AND state IN ('sending', 'unknown') AND message_id IS NOT NULL ORDER BY created_at, command_id`;
  return (await select<Row>(database.pool, sql, [deviceId])).map(fromRow);
}

/** Whether so many commands of a device, or more, wait to be begun. Looks at no more than that many entries of an index. */
export async function isBacklog(database: Database, deviceId: DeviceId, count: number): Promise<boolean> {
  const sql = `SELECT 1 FROM commands WHERE device_id = ? AND state = 'queued' LIMIT 1 OFFSET ${Math.trunc(count) - 1}`;
  return (await select(database.pool, sql, [deviceId])).length > 0;
}

/** Ends a command that was not put into the queue, so that nothing runs it after its client was told to try again. */
export async function abandon(database: Database, commandId: CommandId): Promise<void> {
  const sql = `UPDATE commands SET state = 'failed', error_code = 'unavailable', payload = NULL, finished_at = NOW(3)
    WHERE command_id = ? AND state = 'queued'`;
  await execute(database.pool, sql, [commandId]);
}

/**
 * Ends commands that nobody began in time, oldest first, at most `limit`, and erases their content.
 * @returns how many there were
 */
export async function expire(database: Database, limit: number): Promise<number> {
  const sql = `UPDATE commands SET finished_at = expires_at, error_code = 'expired', payload = NULL, state = 'failed'
    WHERE ${OVERDUE} ORDER BY expires_at LIMIT ${Math.trunc(limit)}`;
  return await execute(database.pool, sql);
}

/** Less, and the queue has not had the time to bring a command to its host. */
const WAITING_SECONDS = 30;
/** For so long a queue takes a message that comes again for the same one (SQS, deduplication interval). */
const REQUEUE_MINUTES = 5;

/** Commands that nobody has begun, though there was time, with the shards of their devices; at most `limit`, oldest first. */
export async function listToRequeue(
  database: Database,
  limit: number,
): Promise<{ commandId: CommandId; deviceId: DeviceId; payload: CommandPayload; shard: number }[]> {
  const sql = `SELECT c.command_id AS commandId, c.device_id AS deviceId, c.payload, COALESCE(d.shard, 0) AS shard
    FROM commands c LEFT JOIN devices d ON d.device_id = c.device_id AND d.user_id = c.user_id
    WHERE c.state = 'queued' AND c.created_at < NOW(3) - INTERVAL ${WAITING_SECONDS} SECOND
      AND (c.requeued_at IS NULL OR c.requeued_at < NOW(3) - INTERVAL ${REQUEUE_MINUTES} MINUTE)
      AND (c.expires_at IS NULL OR c.expires_at > NOW(3)) AND (d.device_id IS NOT NULL OR c.device_id = ?)
    ORDER BY c.created_at LIMIT ${Math.trunc(limit)}`;
  type Waiting = { commandId: CommandId; deviceId: DeviceId; payload: unknown; shard: number };
  const rows = await select<Waiting>(database.pool, sql, [ALL_DEVICES]);
  return rows.map((row) => ({ ...row, payload: commandPayload.parse(parseJson(row.payload)) }));
}

/** They were put into their queues again. */
export async function markRequeued(database: Database, commandIds: readonly CommandId[]): Promise<void> {
  if (!commandIds.length) return;
  const sql = `UPDATE commands SET requeued_at = NOW(3) WHERE command_id IN (${marks(commandIds)})`;
  await execute(database.pool, sql, [...commandIds]);
}

// ---- The owning host writes below; the device's epoch fences a former owner. ----

const IN_TIME = "(c.state <> 'queued' OR c.expires_at IS NULL OR c.expires_at > NOW(3))";
const OWNED = "JOIN devices d ON d.device_id = c.device_id AND d.epoch <= ?";

/**
 * False when it is finished already, or too late to begin, or the device is another host's. Running it again after a
 * crash is allowed.
 */
export async function start(
  database: Database,
  commandId: CommandId,
  epoch: number,
  state: "sending" | "running",
): Promise<boolean> {
  const sql = `UPDATE commands c ${OWNED} SET c.state = ?, c.started_at = COALESCE(c.started_at, NOW(3)), d.epoch = ?
    WHERE c.command_id = ? AND c.state NOT IN (${FINISHED}) AND ${IN_TIME}`;
  // Started twice in the same millisecond changes no row; what counts is that it may run.
  if ((await execute(database.pool, sql, [epoch, state, epoch, commandId])) > 0) return true;
  const check = `SELECT c.command_id FROM commands c ${OWNED} WHERE c.command_id = ? AND c.state NOT IN (${FINISHED})
    AND ${IN_TIME}`;
  return (await select(database.pool, check, [epoch, commandId])).length > 0;
}

/** As `start`, for commands that send, each under the epoch of its device. @returns those that may be sent */
export async function startSending(
  database: Database,
  wanted: readonly { commandId: CommandId; epoch: number }[],
): Promise<Set<CommandId>> {
  const keys = wanted.flatMap(({ commandId, epoch }) => [commandId, epoch]);
  const may = `(${wanted.map(() => "(c.command_id = ? AND d.epoch <= ?)").join(" OR ")}) AND c.state NOT IN (${FINISHED})
    AND ${IN_TIME}`;
  const from = "commands c JOIN devices d ON d.device_id = c.device_id";
  const epochs = `CASE c.command_id ${wanted.map(() => "WHEN ? THEN ?").join(" ")} END`;
  const sql = `UPDATE ${from} SET c.started_at = COALESCE(c.started_at, NOW(3)), c.state = 'sending', d.epoch = ${epochs}
    WHERE ${may}`;
  await execute(database.pool, sql, [...keys, ...keys]);
  const check = `SELECT c.command_id FROM ${from} WHERE ${may} AND c.state = 'sending'`;
  const rows = await select<{ command_id: CommandId }>(database.pool, check, keys);
  return new Set(rows.map((row) => row.command_id));
}

/**
 * As `start`, for a command about no one device. No epoch guards it: it does nothing that may not be done by two hosts
 * at once.
 */
export async function startAlone(database: Database, commandId: CommandId): Promise<boolean> {
  const sql = `UPDATE commands c SET c.state = 'running', c.started_at = COALESCE(c.started_at, NOW(3))
    WHERE c.command_id = ? AND c.state NOT IN (${FINISHED}) AND ${IN_TIME}`;
  if ((await execute(database.pool, sql, [commandId])) > 0) return true;
  return (await get(database, commandId))?.state === "running";
}

/** As `finish`, for a command about no one device. */
export async function finishAlone(database: Database, commandId: CommandId, outcome: Outcome): Promise<void> {
  const sql = `UPDATE commands c SET ${OUTCOME} WHERE c.command_id = ? AND c.state NOT IN (${FINISHED})`;
  await execute(database.pool, sql, [...outcomeValues(outcome), commandId]);
}

export type Outcome =
  | { state: "done" | "accepted"; result: Record<string, unknown> }
  | { state: "failed"; errorCode: string; errorDetail?: string };

/** Ends a command and erases its content. False when it was finished before, or the device is another host's. */
export async function finish(runner: Runner, commandId: CommandId, epoch: number, outcome: Outcome): Promise<boolean> {
  const sql = `UPDATE commands c ${OWNED} SET ${OUTCOME} WHERE c.command_id = ? AND c.state NOT IN (${FINISHED})`;
  return (await execute(runner, sql, [epoch, ...outcomeValues(outcome), commandId])) > 0;
}

const OUTCOME = `c.state = ?, c.result = ?, c.error_code = ?, c.error_detail = ?, c.payload = NULL,
  c.finished_at = NOW(3)`;
const outcomeValues = (outcome: Outcome) =>
  outcome.state === "failed"
    ? [outcome.state, null, outcome.errorCode, outcome.errorDetail ?? null]
    : [outcome.state, JSON.stringify(outcome.result), null, null];

/** Of these messages of devices, the commands that sent them. */
export async function listByMessageId(
  runner: Runner,
  wanted: readonly { deviceId: DeviceId; messageIds: readonly string[] }[],
): Promise<Command[]> {
  const conditions = wanted.map(({ messageIds }) => `(device_id = ? AND message_id IN (${marks(messageIds)}))`);
  const sql = `SELECT ${COLUMNS} FROM commands WHERE ${conditions.join(" OR ")}`;
  const values = wanted.flatMap(({ deviceId, messageIds }) => [deviceId, ...messageIds]);
  return (await select<Row>(runner, sql, values)).map(fromRow);
}

/** Sent, and no answer in time. A result that comes later still counts. */
export async function markUnknown(database: Database, commandId: CommandId, epoch: number): Promise<boolean> {
  const sql = `UPDATE commands c ${OWNED} SET c.state = 'unknown' WHERE c.command_id = ? AND c.state = 'sending'`;
  return (await execute(database.pool, sql, [epoch, commandId])) > 0;
}

/**
 * The link of a device is gone: what was sent over it and not answered never will be, and must not be sent over the next
 * one, which may be another person's.
 */
export async function abandonMessages(database: Database, deviceId: DeviceId, epoch: number): Promise<void> {
  const sql = `UPDATE commands c ${OWNED} SET c.state = 'failed', c.error_code = 'outcome_unknown', c.payload = NULL,
      c.finished_at = NOW(3)
    WHERE c.device_id = ? AND c.state IN ('sending', 'unknown') AND c.message_id IS NOT NULL`;
  await execute(database.pool, sql, [epoch, deviceId]);
}

// ---- Below, the caller's transaction holds the devices' rows (`devices.hold`), which fences a former owner. ----

/** WhatsApp has taken the messages of these commands: ends them and erases their content, but for those that ended before. */
export async function acceptHeld(
  runner: Runner,
  accepted: readonly { commandId: CommandId; result: Record<string, unknown> }[],
): Promise<void> {
  const cases = accepted.map(() => "WHEN ? THEN ?").join(" ");
  const sql = `UPDATE commands c SET c.state = 'accepted', c.result = CASE c.command_id ${cases} END, c.payload = NULL,
      c.error_code = NULL, c.error_detail = NULL, c.finished_at = NOW(3)
    WHERE c.command_id IN (${marks(accepted)}) AND c.state NOT IN (${FINISHED})`;
  const results = accepted.flatMap(({ commandId, result }) => [commandId, JSON.stringify(result)]);
  await execute(runner, sql, [...results, ...accepted.map(({ commandId }) => commandId)]);
}

/** The states of those that exist. */
export async function statesOf(
  runner: Runner,
  commandIds: readonly CommandId[],
): Promise<Map<CommandId, CommandState>> {
  const sql = `SELECT command_id, state FROM commands WHERE command_id IN (${marks(commandIds)})`;
  const rows = await select<{ command_id: CommandId; state: CommandState }>(runner, sql, [...commandIds]);
  return new Map(rows.map((row) => [row.command_id, row.state]));
}

/** Receipts came for the messages of these commands. `read` is not undone by a late `delivered`. */
export async function setReachedHeld(
  runner: Runner,
  commandIds: readonly CommandId[],
  reached: "delivered" | "read",
): Promise<void> {
  if (!commandIds.length) return;
  const before = reached === "read" ? "'accepted','delivered'" : "'accepted'";
  const sql = `UPDATE commands SET state = ? WHERE command_id IN (${marks(commandIds)}) AND state IN (${before})`;
  await execute(runner, sql, [reached, ...commandIds]);
}

const marks = (values: readonly unknown[]) => values.map(() => "?").join(",");

function fromRow(row: Row): Command {
  const payload = parseJson(row.payload);
  const known = payload ? commandPayload.safeParse(payload) : undefined;
  return {
    commandId: row.command_id,
    deviceId: row.device_id,
    userId: row.user_id,
    kind: row.kind,
    payload: known?.data ?? null,
    isOfLaterVersion: known?.success === false,
    state: row.state,
    messageId: row.message_id,
    result: resultColumn.parse(parseJson(row.result)),
    errorCode: row.error_code,
    errorDetail: row.error_detail,
    fingerprint: row.fingerprint,
    trace: parseTrace(row.traceparent) ?? null,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
