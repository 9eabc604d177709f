import { select } from "./pool.ts";
import type { Database } from "./pool.ts";

/** How the whole installation is, in numbers. Their names are those of the metrics in the cloud (infra/log-metrics.ts). */
export type Fleet = {
  hosts: number;
  /** Shards that no host holds: their devices are not connected, their commands wait. */
  unheldShards: number;
  /** Devices whose user wants them connected, and those of them that are. */
  wantedDevices: number;
  connectedDevices: number;
  /** Devices whose connection stands while WhatsApp does not answer on it. */
  degradedDevices: number;
};

/** As the rows say it; one statement. */
export async function readFleet(database: Database): Promise<Fleet> {
  const sql = `SELECT
      (SELECT COUNT(*) FROM hosts WHERE expires_at > NOW(6)) AS hosts,
      (SELECT COUNT(*) FROM shard_leases WHERE host_id IS NULL OR expires_at < NOW(6)) AS unheldShards,
      COUNT(*) AS wantedDevices,
      COALESCE(SUM(status = 'connected'), 0) AS connectedDevices,
      COALESCE(SUM(status = 'degraded'), 0) AS degradedDevices
    FROM devices WHERE desired = 'connected'`;
  const [row] = await select<Record<keyof Fleet, number | string>>(database.pool, sql);
  if (!row) throw new Error("counts came without a row");
  const { hosts, unheldShards, wantedDevices, connectedDevices, degradedDevices } = row;
  return {
    hosts: Number(hosts),
    unheldShards: Number(unheldShards),
    wantedDevices: Number(wantedDevices),
    connectedDevices: Number(connectedDevices),
    degradedDevices: Number(degradedDevices),
  };
}
