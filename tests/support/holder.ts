import mysql from "mysql2/promise";
import type { RowDataPacket } from "mysql2/promise";
import type { Stack } from "../../local/stack.ts";

/** The id of the host that holds each device's shard now; undefined for a device whose shard nobody holds. */
export async function holders(stack: Stack, deviceIds: readonly string[]): Promise<(string | undefined)[]> {
  const connection = await mysql.createConnection(stack.databaseUrl);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(
      `SELECT d.device_id, l.host_id FROM devices d JOIN shard_leases l ON l.shard = d.shard
       WHERE l.expires_at > NOW(6) AND d.device_id IN (?)`,
      [deviceIds],
    );
    const byDevice = new Map(rows.map((row) => [String(row["device_id"]), String(row["host_id"])]));
    return deviceIds.map((deviceId) => byDevice.get(deviceId));
  } finally {
    await connection.end();
  }
}
