import type { DeviceId, UserId } from "../ids.ts";
import type { Scope } from "./message-lists.ts";
import { execute, select } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";
import { visibleDevices } from "./visible-devices.ts";
import type { Viewer } from "./visible-devices.ts";

/** The record of one WhatsApp number that was linked through a device: what stored messages hang on. */
export type Session = {
  sessionId: number;
  userId: UserId;
  deviceId: DeviceId;
  whatsappNumber: string;
  note: string | null;
  createdAt: Date;
  updatedAt: Date;
};

const COLUMNS = `s.session_id AS sessionId, s.user_id AS userId, s.device_id AS deviceId,
  s.whatsapp_number AS whatsappNumber, s.note, s.created_at AS createdAt, s.updated_at AS updatedAt`;

/**
 * The condition under which a row of `whatsapp_sessions s` may be seen: as its device may be, if that still belongs to
 * whom it did; and by that user also when it was removed.
 */
export function visibleSessions(viewer: Viewer): { sql: string; values: string[] } {
  const { userId, role, deviceIds } = viewer;
  const device = visibleDevices(viewer);
  const live = `EXISTS (SELECT 1 FROM devices d WHERE d.device_id = s.device_id AND d.user_id = s.user_id AND ${device.sql})`;
  const theirs = role === "admin" ? "TRUE" : `(s.user_id = ? OR ${live})`;
  const values = role === "admin" ? [] : [userId, ...device.values];
  if (deviceIds === null) return { sql: theirs, values };
  if (!deviceIds.length) return { sql: "FALSE", values: [] };
  return {
    sql: `${theirs} AND s.device_id IN (${deviceIds.map(() => "?").join(",")})`,
    values: [...values, ...deviceIds],
  };
}

/** Undefined when there is none that the viewer may see. */
export async function get(database: Database, viewer: Viewer, sessionId: number): Promise<Session | undefined> {
  const visible = visibleSessions(viewer);
  const sql = `SELECT ${COLUMNS} FROM whatsapp_sessions s WHERE s.session_id = ? AND ${visible.sql}`;
  const [row] = await select<Session>(database.pool, sql, [sessionId, ...visible.values]);
  return row;
}

/** A user's, of those that the viewer may see, oldest first. */
export async function listOfUser(database: Database, viewer: Viewer, userId: string): Promise<Session[]> {
  const visible = visibleSessions(viewer);
  const sql = `SELECT ${COLUMNS} FROM whatsapp_sessions s WHERE s.user_id = ? AND ${visible.sql} ORDER BY s.session_id`;
  return await select<Session>(database.pool, sql, [userId, ...visible.values]);
}

/** Which the viewer may see, of those of one number if it is given. */
export async function scopeOf(database: Database, viewer: Viewer, number?: string): Promise<Scope> {
  if (viewer.role === "admin" && viewer.deviceIds === null && number === undefined) return "every session";
  const visible = visibleSessions(viewer);
  const ofNumber = number === undefined ? "TRUE" : "s.whatsapp_number = ?";
  const sql = `SELECT s.session_id AS sessionId FROM whatsapp_sessions s WHERE ${ofNumber} AND ${visible.sql}`;
  const values = [...(number === undefined ? [] : [number]), ...visible.values];
  return (await select<Pick<Session, "sessionId">>(database.pool, sql, values)).map(({ sessionId }) => sessionId);
}

/** The caller has made sure that it may be changed. Null: none. */
export async function setNote(database: Database, sessionId: number, note: string | null): Promise<void> {
  const sql = "UPDATE whatsapp_sessions SET note = ?, updated_at = NOW(3) WHERE session_id = ?";
  await execute(database.pool, sql, [note, sessionId]);
}

// ---- The owning host writes below, inside a transaction that holds the device's row. ----

/** A number of a device: what a session is of. */
export type Link = { userId: UserId; deviceId: DeviceId; number: string };

/** The device is linked to this number now: its session is made, or shown as used now. */
export async function open(runner: Runner, deviceId: DeviceId, number: string): Promise<void> {
  const sql = `INSERT INTO whatsapp_sessions (user_id, device_id, whatsapp_number)
    SELECT user_id, device_id, ? FROM devices WHERE device_id = ?
    ON DUPLICATE KEY UPDATE updated_at = NOW(3)`;
  await execute(runner, sql, [number, deviceId]);
}

/** By device, the ids of the sessions of these links, which are made where there is none. */
export async function idsOf(runner: Runner, links: readonly Link[]): Promise<Map<DeviceId, number>> {
  const found = await find(runner, links);
  const missing = links.filter(({ deviceId }) => !found.has(deviceId));
  if (!missing.length) return found;
  for (const { deviceId, number } of missing) await open(runner, deviceId, number);
  return new Map([...found, ...(await find(runner, missing))]);
}

async function find(runner: Runner, links: readonly Link[]): Promise<Map<DeviceId, number>> {
  const conditions = links.map(() => "(user_id = ? AND device_id = ? AND whatsapp_number = ?)").join(" OR ");
  const sql = `SELECT device_id AS deviceId, session_id AS sessionId FROM whatsapp_sessions WHERE ${conditions}`;
  const values = links.flatMap(({ userId, deviceId, number }) => [userId, deviceId, number]);
  const rows = await select<Pick<Session, "deviceId" | "sessionId">>(runner, sql, values);
  return new Map(rows.map(({ deviceId, sessionId }) => [deviceId, sessionId]));
}
