import type { DeviceId, UserId } from "../ids.ts";
import { execute, select, transaction } from "./pool.ts";
import type { Database } from "./pool.ts";

export type Grant = { deviceId: DeviceId; givenBy: UserId; createdAt: Date };

/** The devices that a user was given, besides their own. */
export async function list(database: Database, userId: UserId): Promise<Grant[]> {
  const sql = `SELECT device_id, given_by, created_at FROM device_grants WHERE user_id = ? ORDER BY device_id`;
  type Row = { device_id: DeviceId; given_by: UserId; created_at: Date };
  const rows = await select<Row>(database.pool, sql, [userId]);
  return rows.map((row) => ({ deviceId: row.device_id, givenBy: row.given_by, createdAt: row.created_at }));
}

/** Makes these the devices that the user was given; the rest is taken back. The caller has made sure that they exist. */
export async function replace(
  database: Database,
  userId: UserId,
  deviceIds: readonly DeviceId[],
  givenBy: UserId,
): Promise<void> {
  const marks = (mark: string) => deviceIds.map(() => mark).join(",");
  await transaction(database, async (runner) => {
    const kept = deviceIds.length ? ` AND device_id NOT IN (${marks("?")})` : "";
    await execute(runner, `DELETE FROM device_grants WHERE user_id = ?${kept}`, [userId, ...deviceIds]);
    if (!deviceIds.length) return;
    // A device that was removed meanwhile is passed over.
    const sql = `INSERT INTO device_grants (user_id, device_id, given_by)
      SELECT ?, d.device_id, ? FROM devices d WHERE d.device_id IN (${marks("?")})
      ON DUPLICATE KEY UPDATE device_grants.given_by = device_grants.given_by`;
    await execute(runner, sql, [userId, givenBy, ...deviceIds]);
  });
}
