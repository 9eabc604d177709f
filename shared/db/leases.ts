import type { HostId } from "../ids.ts";
import { execute, select, transaction } from "./pool.ts";
import type { Database } from "./pool.ts";

/** A shard that this host holds. Writes made under it carry `epoch`. */
export type Lease = { shard: number; epoch: number };

/** A socket that the former owner had open is nothing to rely on: until it is opened here the device is connecting. */
const FENCE_DEVICES = `UPDATE devices SET epoch = ?, alive_at = NULL,
    status_reason = IF(status IN ('connected', 'degraded'), 'host_changed', status_reason),
    status = IF(status IN ('connected', 'degraded'), 'connecting', status)
  WHERE shard = ? AND epoch < ?`;

/** Rows for every shard, once. Safe to call by any number of hosts at start. */
export async function ensureShards(database: Database, shards: number): Promise<void> {
  const values = Array.from({ length: shards }, () => "(?, 0, NOW(6))").join(",");
  const sql = `INSERT IGNORE INTO shard_leases (shard, epoch, expires_at) VALUES ${values}`;
  await execute(
    database.pool,
    sql,
    Array.from({ length: shards }, (_, shard) => shard),
  );
}

/** Says that this host lives, forgets those that do not, and answers how many live. */
export async function beat(database: Database, hostId: HostId, durationMs: number): Promise<number> {
  const sql = `INSERT INTO hosts (host_id, started_at, expires_at) VALUES (?, NOW(6), NOW(6) + INTERVAL ? MICROSECOND)
    ON DUPLICATE KEY UPDATE expires_at = VALUES(expires_at)`;
  await execute(database.pool, sql, [hostId, durationMs * 1000]);
  await execute(database.pool, "DELETE FROM hosts WHERE expires_at < NOW(6)");
  return await countHosts(database);
}

/** How many hosts live, but for those that have said that they are going. */
export async function countHosts(database: Database): Promise<number> {
  const sql = "SELECT COUNT(*) AS hosts FROM hosts WHERE expires_at > NOW(6)";
  const [row] = await select<{ hosts: number }>(database.pool, sql);
  return row?.hosts ?? 0;
}

/** Prolongs the leases that are still this host's; the answer lacks those that were lost. */
export async function renew(
  database: Database,
  hostId: HostId,
  leases: readonly Lease[],
  durationMs: number,
): Promise<Lease[]> {
  if (!leases.length) return [];
  const which = leases.map(() => "(shard = ? AND epoch = ?)").join(" OR ");
  const keys = leases.flatMap((lease) => [lease.shard, lease.epoch]);
  await execute(
    database.pool,
    `UPDATE shard_leases SET expires_at = NOW(6) + INTERVAL ? MICROSECOND WHERE host_id = ? AND (${which})`,
    [durationMs * 1000, hostId, ...keys],
  );
  const sql = `SELECT shard, epoch FROM shard_leases WHERE host_id = ? AND expires_at > NOW(6) AND (${which})`;
  return await select<Lease>(database.pool, sql, [hostId, ...keys]);
}

/** Shards that nobody holds now, those without an owner and those whose lease has run out. */
export async function listFree(database: Database): Promise<number[]> {
  const sql = "SELECT shard FROM shard_leases WHERE host_id IS NULL OR expires_at < NOW(6) ORDER BY shard";
  return (await select<{ shard: number }>(database.pool, sql)).map((row) => row.shard);
}

/** How many of the shards `0 … shards - 1` a living host holds. */
export async function countHeld(database: Database, shards: number): Promise<number> {
  const sql = `SELECT COUNT(*) AS held FROM shard_leases
    WHERE shard < ? AND host_id IS NOT NULL AND expires_at > NOW(6)`;
  const [row] = await select<{ held: number }>(database.pool, sql, [shards]);
  return row?.held ?? 0;
}

/**
 * Takes a free shard and fences its devices: from the commit on, whatever a former owner writes changes nothing.
 * Undefined when another host was faster.
 */
export async function take(
  database: Database,
  hostId: HostId,
  shard: number,
  durationMs: number,
): Promise<Lease | undefined> {
  return await transaction(database, async (runner) => {
    const taken = await execute(
      runner,
      `UPDATE shard_leases SET host_id = ?, epoch = epoch + 1, expires_at = NOW(6) + INTERVAL ? MICROSECOND
       WHERE shard = ? AND (host_id IS NULL OR expires_at < NOW(6))`,
      [hostId, durationMs * 1000, shard],
    );
    if (!taken) return undefined;
    const [row] = await select<Lease>(runner, "SELECT shard, epoch FROM shard_leases WHERE shard = ?", [shard]);
    if (!row) return undefined;
    await execute(runner, FENCE_DEVICES, [row.epoch, shard, row.epoch]);
    return row;
  });
}

/**
 * Raises the epoch of a shard that this host holds now, under which it goes on owning what it owns. Undefined when the
 * lease is not this host's any more.
 */
export async function raise(
  database: Database,
  hostId: HostId,
  { shard, epoch }: Lease,
  raisedEpoch: number,
): Promise<Lease | undefined> {
  const sql = `UPDATE shard_leases SET epoch = ?
    WHERE shard = ? AND host_id = ? AND epoch = ? AND expires_at > NOW(6)`;
  const isRaised = (await execute(database.pool, sql, [raisedEpoch, shard, hostId, epoch])) > 0;
  return isRaised ? { shard, epoch: raisedEpoch } : undefined;
}

/** Gives a shard back at once. Nothing happens when it is no longer this host's. */
export async function release(database: Database, hostId: HostId, lease: Lease): Promise<void> {
  const sql =
    "UPDATE shard_leases SET host_id = NULL, expires_at = NOW(6) WHERE shard = ? AND host_id = ? AND epoch = ?";
  await execute(database.pool, sql, [lease.shard, hostId, lease.epoch]);
}

/** This host is going: the others count without it. */
export async function leave(database: Database, hostId: HostId): Promise<void> {
  await execute(database.pool, "DELETE FROM hosts WHERE host_id = ?", [hostId]);
}

/** A host that starts under the id of one that was killed: nobody else can be that one, so its shards are free now. */
export async function releaseAll(database: Database, hostId: HostId): Promise<void> {
  const sql = "UPDATE shard_leases SET host_id = NULL, expires_at = NOW(6) WHERE host_id = ?";
  await execute(database.pool, sql, [hostId]);
}
