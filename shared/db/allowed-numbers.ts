import type { DeviceId, UserId } from "../ids.ts";
import { execute, isDuplicate, select } from "./pool.ts";
import type { Database } from "./pool.ts";
import { visibleSessions } from "./sessions.ts";
import type { Link } from "./sessions.ts";
import type { Viewer } from "./visible-devices.ts";

export const ALLOWANCES = ["aktif", "nonaktif"] as const;
export type Allowance = (typeof ALLOWANCES)[number];

/** A number of a user whose messages are kept while it is `aktif`. */
export type AllowedNumber = {
  allowedId: number;
  whatsappNumber: string;
  sessionId: number;
  status: Allowance;
  createdAt: Date;
  updatedAt: Date;
};
export type NewAllowedNumber = Pick<AllowedNumber, "whatsappNumber" | "sessionId" | "status"> & {
  /** Of the session. */
  userId: UserId;
  idempotency?: { key: string; fingerprint: Buffer };
};

const COLUMNS = `a.allowed_id AS allowedId, a.whatsapp_number AS whatsappNumber, a.session_id AS sessionId, a.status,
  a.created_at AS createdAt, a.updated_at AS updatedAt`;
const FROM = "FROM allowed_numbers a JOIN whatsapp_sessions s ON s.session_id = a.session_id";

/**
 * Of these numbers of devices, those whose messages may be kept: whether any of the number's owner says so. Rejects when
 * that cannot be told; then nothing may be kept.
 */
export async function listAllowed(database: Database, links: readonly Link[]): Promise<Set<DeviceId>> {
  if (!links.length) return new Set();
  const conditions = links.map(() => "(user_id = ? AND whatsapp_number = ?)").join(" OR ");
  const sql = `SELECT user_id AS userId, whatsapp_number AS number FROM allowed_numbers
    WHERE status = 'aktif' AND (${conditions})`;
  const values = links.flatMap(({ userId, number }) => [userId, number]);
  const rows = await select<Pick<Link, "userId" | "number">>(database.pool, sql, values);
  const allowed = new Set(rows.map(keyOf));
  return new Set(links.filter((link) => allowed.has(keyOf(link))).map(({ deviceId }) => deviceId));
}
const keyOf = ({ userId, number }: Pick<Link, "userId" | "number">) => `${userId}|${number}`;

/** Those that the viewer may see, oldest first. @param number only this one */
export async function list(
  database: Database,
  viewer: Viewer,
  number: string | undefined,
  page: { limit: number; offset: number },
): Promise<{ numbers: AllowedNumber[]; total: number }> {
  const visible = visibleSessions(viewer);
  const where = `WHERE ${visible.sql} ${number === undefined ? "" : "AND a.whatsapp_number = ?"}`;
  const values = [...visible.values, ...(number === undefined ? [] : [number])];
  const [count] = await select<{ total: number }>(database.pool, `SELECT COUNT(*) AS total ${FROM} ${where}`, values);
  const sql = `SELECT ${COLUMNS} ${FROM} ${where} ORDER BY a.allowed_id
    LIMIT ${Math.trunc(page.limit)} OFFSET ${Math.trunc(page.offset)}`;
  return { numbers: await select<AllowedNumber>(database.pool, sql, values), total: count?.total ?? 0 };
}

/** Undefined when there is none that the viewer may see. */
export async function get(database: Database, viewer: Viewer, allowedId: number): Promise<AllowedNumber | undefined> {
  const visible = visibleSessions(viewer);
  const sql = `SELECT ${COLUMNS} ${FROM} WHERE a.allowed_id = ? AND ${visible.sql}`;
  const [row] = await select<AllowedNumber>(database.pool, sql, [allowedId, ...visible.values]);
  return row;
}

/** Of a user, the record of a number, or what was created under an idempotency key. */
export async function find(
  database: Database,
  by: { userId: UserId; whatsappNumber: string } | { key: string },
): Promise<(AllowedNumber & { fingerprint: Buffer | null }) | undefined> {
  const [where, values] =
    "key" in by
      ? ["a.creation_key = ?", [by.key]]
      : ["a.user_id = ? AND a.whatsapp_number = ?", [by.userId, by.whatsappNumber]];
  const sql = `SELECT ${COLUMNS}, a.creation_fingerprint AS fingerprint FROM allowed_numbers a WHERE ${where}`;
  const [row] = await select<AllowedNumber & { fingerprint: Buffer | null }>(database.pool, sql, values);
  return row;
}

/** False when the user has a record of that number, or has used the idempotency key. */
export async function create(database: Database, number: NewAllowedNumber): Promise<boolean> {
  const { userId, whatsappNumber, sessionId, status, idempotency } = number;
  const sql = `INSERT INTO allowed_numbers
    (user_id, whatsapp_number, session_id, status, creation_key, creation_fingerprint) VALUES (?, ?, ?, ?, ?, ?)`;
  const creation = [idempotency?.key ?? null, idempotency?.fingerprint ?? null];
  try {
    await execute(database.pool, sql, [userId, whatsappNumber, sessionId, status, ...creation]);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** From the next message on. The caller has made sure that the record may be changed. */
export async function setStatus(database: Database, allowedId: number, status: Allowance): Promise<void> {
  const sql = "UPDATE allowed_numbers SET status = ?, updated_at = NOW(3) WHERE allowed_id = ?";
  await execute(database.pool, sql, [status, allowedId]);
}

/** From then on nothing of the number is kept any more; what was kept stays. */
export async function remove(database: Database, allowedId: number): Promise<void> {
  await execute(database.pool, "DELETE FROM allowed_numbers WHERE allowed_id = ?", [allowedId]);
}
