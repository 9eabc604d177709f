import type { DeviceId, UserId } from "../ids.ts";
import { execute, select } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";

/** Why a file that came with a message cannot be had, ever. */
export type MediaFailure = "gone" | "too_large" | "damaged" | "unreadable" | "unreachable";

/** A file that came with a message. `ready`: it is in the bucket, `sizeBytes` and `mimetype` are known. */
export type ReceivedMedia = {
  messageId: string;
  state: "pending" | "ready" | "failed";
  reason: MediaFailure | null;
  sizeBytes: number | null;
  mimetype: string | null;
  attempts: number;
};
export type PendingMedia = Pick<ReceivedMedia, "messageId" | "attempts"> & { dueInMs: number };

/** The device, and whom it belonged to when the message came. */
type Place = { deviceId: DeviceId; userId: UserId };

/** Less than what the bucket keeps (infra/storage.ts, `received/`). */
const KEPT_DAYS = 29;
const MAX_MESSAGE_ID_LENGTH = 128;

/** Notes that messages came with files. Those that are known stay as they are. */
export async function record(runner: Runner, { deviceId, userId }: Place, messageIds: readonly string[]) {
  const taken = messageIds.filter((messageId) => messageId.length <= MAX_MESSAGE_ID_LENGTH);
  if (!taken.length) return;
  const rows = taken.map(() => `(?, ?, ?, NOW(3) + INTERVAL ${KEPT_DAYS} DAY)`).join(", ");
  const sql = `INSERT INTO received_media (device_id, user_id, message_id, expires_at) VALUES ${rows}
    ON DUPLICATE KEY UPDATE message_id = message_id`;
  const values = taken.flatMap((messageId) => [deviceId, userId, messageId]);
  await execute(runner, sql, values);
}

export async function get(
  database: Database,
  { deviceId, userId }: Place,
  messageId: string,
): Promise<ReceivedMedia | undefined> {
  const sql = `SELECT message_id AS messageId, state, reason, size_bytes AS sizeBytes, mimetype, attempts
    FROM received_media WHERE device_id = ? AND user_id = ? AND message_id = ? AND expires_at > NOW(3)`;
  return (await select<ReceivedMedia>(database.pool, sql, [deviceId, userId, messageId]))[0];
}

/** Files that are still to be had, those first whose turn comes first. */
export async function listPending(
  database: Database,
  { deviceId, userId }: Place,
  limit: number,
): Promise<PendingMedia[]> {
  const sql = `SELECT message_id AS messageId, attempts, TIMESTAMPDIFF(MICROSECOND, NOW(3), next_at) DIV 1000 AS dueInMs
    FROM received_media WHERE device_id = ? AND state = 'pending' AND user_id = ?
    ORDER BY next_at LIMIT ${Math.trunc(limit)}`;
  return await select<PendingMedia>(database.pool, sql, [deviceId, userId]);
}

/** Every message of a device whose file is known here. */
export async function listAll(database: Database, { deviceId, userId }: Place, limit: number): Promise<string[]> {
  const sql = `SELECT message_id AS messageId FROM received_media WHERE device_id = ? AND user_id = ?
    LIMIT ${Math.trunc(limit)}`;
  const rows = await select<{ messageId: string }>(database.pool, sql, [deviceId, userId]);
  return rows.map(({ messageId }) => messageId);
}

export async function remove(database: Database, { deviceId, userId }: Place, messageIds: readonly string[]) {
  if (!messageIds.length) return;
  const sql = `DELETE FROM received_media WHERE device_id = ? AND user_id = ?
    AND message_id IN (${messageIds.map(() => "?").join(",")})`;
  await execute(database.pool, sql, [deviceId, userId, ...messageIds]);
}

export async function removeExpired(database: Database): Promise<void> {
  await execute(database.pool, "DELETE FROM received_media WHERE expires_at <= NOW(3) LIMIT 10000");
}

// ---- The owning host writes below; the device's epoch fences a former owner. ----

const OWNED = `UPDATE received_media m JOIN devices d ON d.device_id = m.device_id AND d.epoch <= ?`;
const WHICH = "WHERE m.device_id = ? AND m.user_id = ? AND m.message_id = ? AND m.state = 'pending'";
type Row = Place & { messageId: string; epoch: number };
const idOf = ({ deviceId, userId, messageId }: Row) => [deviceId, userId, messageId];

export async function finish(
  database: Database,
  row: Row,
  outcome: { state: "ready"; sizeBytes: number; mimetype: string } | { state: "failed"; reason: MediaFailure },
): Promise<void> {
  const sql = `${OWNED} SET m.state = ?, m.reason = ?, m.size_bytes = ?, m.mimetype = ?,
    m.expires_at = NOW(3) + INTERVAL ${KEPT_DAYS} DAY ${WHICH}`;
  const facts = outcome.state === "ready" ? [null, outcome.sizeBytes, outcome.mimetype] : [outcome.reason, null, null];
  await execute(database.pool, sql, [row.epoch, outcome.state, ...facts, ...idOf(row)]);
}

/** @param counts whether this was a try */
export async function postpone(database: Database, row: Row, delayMs: number, counts: boolean): Promise<void> {
  const sql = `${OWNED} SET m.next_at = NOW(3) + INTERVAL ? MICROSECOND, m.attempts = m.attempts + ? ${WHICH}`;
  await execute(database.pool, sql, [row.epoch, Math.trunc(delayMs) * 1000, counts ? 1 : 0, ...idOf(row)]);
}
