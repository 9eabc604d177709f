import { ALIVE_FOR_SECONDS } from "../device-status.ts";
import type { DeviceStatus } from "../device-status.ts";
import type { DeviceId, UserId } from "../ids.ts";
import { emptiestShard } from "../shards.ts";
import type { ShardCount } from "../shards.ts";
import { execute, isDuplicate, select, transaction } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";
import { visibleDevices } from "./visible-devices.ts";
import type { Viewer } from "./visible-devices.ts";

/** A device as the API shows it: the status is what is true now, not what was last written. */
export type Device = {
  deviceId: DeviceId;
  userId: UserId;
  deviceName: string | null;
  shard: number;
  status: DeviceStatus;
  /** Why it is not connected, a stable code: `no_host`, `silent`, `replaced`, `client_outdated`, … */
  statusReason: string | null;
  /** What the user wants. A host connects such a device again by itself. */
  desired: "connected" | "disconnected";
  isConnected: boolean;
  phoneNumber: string | null;
  qrCode: string | null;
  qrExpiresAt: Date | null;
  connectionAttempts: number;
  lastActivity: Date | null;
  createdAt: Date;
};

export type DeviceStats = {
  total: number;
  connected: number;
  disconnected: number;
  withPhoneNumber: number;
  createdToday: number;
};

/**
 * `connected` needs a shard that a host holds now and a socket that heard from WhatsApp a moment ago; a row that says
 * more than that is shown as disconnected, with the reason.
 */
const COLUMNS = `
  d.device_id, d.user_id, d.device_name, d.shard, d.status, d.status_reason, d.desired, d.phone_number,
  d.connection_attempts, d.last_activity, d.created_at,
  IF(d.qr_expires_at > NOW(3), d.qr_code, NULL) AS qr_code,
  IF(d.qr_expires_at > NOW(3), d.qr_expires_at, NULL) AS qr_expires_at,
  (l.host_id IS NOT NULL AND l.expires_at > NOW(6)) AS is_held,
  (d.alive_at > NOW(3) - INTERVAL ${ALIVE_FOR_SECONDS} SECOND) AS is_alive`;
const FROM = "FROM devices d LEFT JOIN shard_leases l ON l.shard = d.shard";

type Row = {
  device_id: DeviceId;
  user_id: UserId;
  device_name: string | null;
  shard: number;
  status: DeviceStatus;
  status_reason: string | null;
  desired: "connected" | "disconnected";
  phone_number: string | null;
  connection_attempts: number;
  last_activity: Date | null;
  created_at: Date;
  qr_code: string | null;
  qr_expires_at: Date | null;
  is_held: number | null;
  is_alive: number | null;
};

export type NewDevice = {
  deviceId: DeviceId;
  userId: UserId;
  deviceName: string | null;
  /** The key that the client gave for the creation, and the hash of its request. */
  idempotency?: { key: string; fingerprint: Buffer };
};

/**
 * Puts a device into the registry, on the shard with the fewest devices, so that hosts share the work evenly. The user's
 * row is locked meanwhile: devices that are created side by side see each other. Its events go on counting from those of
 * an earlier device of this id, which nobody can read any more. False when the deviceId is taken, or the user has
 * created a device under the same idempotency key.
 * @param shards how many shards there are
 */
export async function create(database: Database, device: NewDevice, shards: number): Promise<boolean> {
  const { deviceId, userId, deviceName, idempotency } = device;
  try {
    await transaction(database, async (runner) => {
      await select(runner, "SELECT user_id FROM users WHERE user_id = ? FOR UPDATE", [userId]);
      const counts = await select<ShardCount>(runner, "SELECT shard, COUNT(*) AS devices FROM devices GROUP BY shard");
      const last = await lastSequenceOfFormer(runner, deviceId);
      const sql = `INSERT INTO devices
        (device_id, user_id, device_name, shard, last_sequence, forgotten_sequence, creation_key, creation_fingerprint)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
      const shard = emptiestShard(deviceId, shards, counts);
      const creation = [idempotency?.key ?? null, idempotency?.fingerprint ?? null];
      await execute(runner, sql, [deviceId, userId, deviceName, shard, last, last, ...creation]);
    });
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** How far the events of a device that was removed have counted: also those that have expired since. */
async function lastSequenceOfFormer(runner: Runner, deviceId: DeviceId): Promise<number> {
  type Last = { last: number | null };
  const former = "SELECT last_sequence AS last FROM former_devices WHERE device_id = ? LOCK IN SHARE MODE";
  const [kept] = await select<Last>(runner, former, [deviceId]);
  // Of one that a process of an earlier version removed.
  const events = "SELECT MAX(sequence) AS last FROM events WHERE device_id = ? LOCK IN SHARE MODE";
  const [recorded] = await select<Last>(runner, events, [deviceId]);
  return Math.max(kept?.last ?? 0, recorded?.last ?? 0);
}

/** What the user created under an idempotency key; undefined when nothing, or when that device was removed since. */
export async function getCreation(
  database: Database,
  userId: UserId,
  key: string,
): Promise<{ deviceId: DeviceId; fingerprint: Buffer } | undefined> {
  const sql = `SELECT device_id AS deviceId, creation_fingerprint AS fingerprint FROM devices
    WHERE user_id = ? AND creation_key = ?`;
  const [row] = await select<{ deviceId: DeviceId; fingerprint: Buffer }>(database.pool, sql, [userId, key]);
  return row;
}

/** Undefined when there is none that the viewer may see. */
export async function get(database: Database, viewer: Viewer, deviceId: DeviceId): Promise<Device | undefined> {
  const visible = visibleDevices(viewer);
  const sql = `SELECT ${COLUMNS} ${FROM} WHERE d.device_id = ? AND ${visible.sql}`;
  const [row] = await select<Row>(database.pool, sql, [deviceId, ...visible.values]);
  return row && fromRow(row);
}

/** Those that the viewer may see, oldest first. */
export async function list(database: Database, viewer: Viewer): Promise<Device[]> {
  const visible = visibleDevices(viewer);
  const sql = `SELECT ${COLUMNS} ${FROM} WHERE ${visible.sql} ORDER BY d.created_at, d.device_id`;
  return (await select<Row>(database.pool, sql, visible.values)).map(fromRow);
}

/** Counts over devices that were read already. `dayStart` is the first instant of today where the user is. */
export function stats(devices: readonly Device[], dayStart: Date): DeviceStats {
  const connected = devices.filter((device) => device.isConnected).length;
  return {
    total: devices.length,
    connected,
    disconnected: devices.length - connected,
    withPhoneNumber: devices.filter((device) => device.phoneNumber !== null).length,
    createdToday: devices.filter((device) => device.createdAt >= dayStart).length,
  };
}

/** False when it was gone already. Its commands and events stay until retention takes them. */
export async function remove(
  database: Database,
  { deviceId, userId }: Pick<Device, "deviceId" | "userId">,
): Promise<boolean> {
  return await transaction(database, (runner) =>
    removeWhere(runner, "device_id = ? AND user_id = ?", [deviceId, userId]),
  );
}

/** Keeps how far its events have counted. */
async function removeWhere(runner: Runner, where: string, values: (string | number)[]): Promise<boolean> {
  const find = `SELECT device_id AS deviceId, last_sequence AS lastSequence FROM devices WHERE ${where} FOR UPDATE`;
  const [device] = await select<{ deviceId: DeviceId; lastSequence: number }>(runner, find, values);
  if (!device) return false;
  const keep = `INSERT INTO former_devices (device_id, last_sequence) VALUES (?, ?)
    ON DUPLICATE KEY UPDATE last_sequence = VALUES(last_sequence)`;
  await execute(runner, keep, [device.deviceId, device.lastSequence]);
  return (await execute(runner, "DELETE FROM devices WHERE device_id = ?", [device.deviceId])) > 0;
}

// ---- The owning host writes below. `epoch` is that of its lease: a host that lost the shard changes nothing. ----

/** What a host needs to run a device. `isWanted`: it should be connected. */
export type OwnedDevice = { deviceId: DeviceId; userId: UserId; shard: number; isWanted: boolean };

type OwnedRow = { device_id: DeviceId; user_id: UserId; shard: number; desired: string };
const toOwned = (row: OwnedRow): OwnedDevice => ({
  deviceId: row.device_id,
  userId: row.user_id,
  shard: row.shard,
  isWanted: row.desired === "connected",
});

/**
 * Every device of a shard that should be connected, those that were used last first. `wasConnected`: it was until its former
 * host ended.
 */
export async function listToConnect(
  database: Database,
  shard: number,
): Promise<(OwnedDevice & { wasConnected: boolean })[]> {
  const sql = `SELECT device_id, user_id, shard, desired,
      (status = 'connecting' AND status_reason = 'host_changed') AS was_connected
    FROM devices WHERE shard = ? AND desired = 'connected' ORDER BY last_activity IS NULL, last_activity DESC`;
  const rows = await select<OwnedRow & { was_connected: number | null }>(database.pool, sql, [shard]);
  return rows.map((row) => ({ ...toOwned(row), wasConnected: row.was_connected === 1 }));
}

/** Undefined when it was removed from the registry. */
export async function getOwned(database: Database, deviceId: DeviceId): Promise<OwnedDevice | undefined> {
  return (await getAllOwned(database, [deviceId])).get(deviceId);
}

/** Those that are in the registry. */
export async function getAllOwned(
  database: Database,
  deviceIds: readonly DeviceId[],
): Promise<Map<DeviceId, OwnedDevice>> {
  const sql = `SELECT device_id, user_id, shard, desired FROM devices
    WHERE device_id IN (${deviceIds.map(() => "?").join(",")})`;
  const rows = await select<OwnedRow>(database.pool, sql, [...deviceIds]);
  return new Map(rows.map((row) => [row.device_id, toOwned(row)]));
}

/** Whether this is the number of a device, of anybody's. */
export async function isNumberOfOurs(database: Database, phoneNumber: string): Promise<boolean> {
  const sql = "SELECT 1 FROM devices WHERE phone_number = ? LIMIT 1";
  return (await select(database.pool, sql, [phoneNumber])).length > 0;
}

/** Devices whose rows a transaction holds, with the number of the last event of each. */
export type HeldDevices = Map<DeviceId, { lastSequence: number }>;

/**
 * Takes the rows of devices for the rest of the transaction, but for those that another host owns or that were removed.
 * `passed over` leaves out also those that another transaction holds now.
 */
export async function hold(
  runner: Runner,
  wanted: readonly { deviceId: DeviceId; epoch: number }[],
  busyRowsAre: "waited for" | "passed over",
): Promise<HeldDevices> {
  const epochs = new Map(wanted.map(({ deviceId, epoch }) => [deviceId, epoch]));
  // In the order of the key, and nothing besides: a scan would lock every device that there is.
  const sql = `SELECT device_id, epoch, last_sequence FROM devices FORCE INDEX (PRIMARY)
    WHERE device_id IN (${[...epochs].map(() => "?").join(",")}) ORDER BY device_id
    FOR UPDATE ${busyRowsAre === "passed over" ? "SKIP LOCKED" : ""}`;
  type Held = { device_id: DeviceId; epoch: number; last_sequence: number };
  const rows = await select<Held>(runner, sql, [...epochs.keys()]);
  const ours = rows.filter((row) => row.epoch <= (epochs.get(row.device_id) ?? -1));
  return new Map(ours.map((row) => [row.device_id, { lastSequence: row.last_sequence }]));
}

/**
 * Devices of a shard just taken over that were being linked: nobody waits for a QR any more, and showing new ones
 * unasked would only burn them.
 */
export async function endPairings(database: Database, shard: number, epoch: number): Promise<void> {
  const sql = `UPDATE devices SET status = 'disconnected', status_reason = 'host_changed', qr_code = NULL, qr_expires_at = NULL
    WHERE shard = ? AND epoch <= ? AND desired = 'disconnected' AND status IN ('connecting', 'pairing')`;
  await execute(database.pool, sql, [shard, epoch]);
}

/** As `remove`, by the host that owns the device. False when another one does, or it was gone already. */
export async function removeOwned(runner: Runner, deviceId: DeviceId, epoch: number): Promise<boolean> {
  return await removeWhere(runner, "device_id = ? AND epoch <= ?", [deviceId, epoch]);
}

export type StatusChange = {
  status: DeviceStatus;
  statusReason: string | null;
  qr?: { code: string; expiresAt: Date };
  /** Null: no number is linked any more, and no LID. */
  phoneNumber?: string | null;
  lid?: string;
  connectionAttempts: number;
  desired?: "connected" | "disconnected";
};

/** False when another host owns the device, or it was removed. A QR that is not given is taken away. */
export async function setStatus(
  runner: Runner,
  deviceId: DeviceId,
  epoch: number,
  change: StatusChange,
): Promise<boolean> {
  const sql = `UPDATE devices SET epoch = ?, status = ?, status_reason = ?, qr_code = ?, qr_expires_at = ?,
      phone_number = IF(?, NULL, COALESCE(?, phone_number)), lid = IF(?, NULL, COALESCE(?, lid)),
      connection_attempts = ?,
      desired = COALESCE(?, desired), last_activity = NOW(3), alive_at = IF(? = 'connected', NOW(3), alive_at)
    WHERE device_id = ? AND epoch <= ?`;
  const changed = await execute(runner, sql, [
    epoch,
    change.status,
    change.statusReason,
    change.qr?.code ?? null,
    change.qr?.expiresAt ?? null,
    change.phoneNumber === null ? 1 : 0,
    change.phoneNumber ?? null,
    change.phoneNumber === null ? 1 : 0,
    change.lid ?? null,
    change.connectionAttempts,
    change.desired ?? null,
    change.status,
    deviceId,
    epoch,
  ]);
  return changed > 0;
}

/** One statement for all sockets of a shard that have heard from WhatsApp since the last round. */
export async function markAlive(database: Database, deviceIds: readonly DeviceId[], epoch: number): Promise<void> {
  if (!deviceIds.length) return;
  const sql = `UPDATE devices SET alive_at = NOW(3)
    WHERE epoch <= ? AND status = 'connected' AND device_id IN (${deviceIds.map(() => "?").join(",")})`;
  await execute(database.pool, sql, [epoch, ...deviceIds]);
}

/** What is true only while a host is there. */
const CLAIMS: readonly DeviceStatus[] = ["connecting", "pairing", "connected", "degraded"];

function fromRow(row: Row): Device {
  const isConnected = row.status === "connected" && row.is_held === 1 && row.is_alive === 1;
  const claimed = CLAIMS.includes(row.status);
  const stale = claimed && (row.is_held !== 1 || (row.status === "connected" && row.is_alive !== 1));
  return {
    deviceId: row.device_id,
    userId: row.user_id,
    deviceName: row.device_name,
    shard: row.shard,
    status: stale ? "disconnected" : row.status,
    statusReason: stale ? (row.is_held === 1 ? "silent" : "no_host") : row.status_reason,
    desired: row.desired,
    isConnected,
    phoneNumber: row.phone_number,
    qrCode: stale ? null : row.qr_code,
    qrExpiresAt: stale ? null : row.qr_expires_at,
    connectionAttempts: row.connection_attempts,
    lastActivity: row.last_activity,
    createdAt: row.created_at,
  };
}
