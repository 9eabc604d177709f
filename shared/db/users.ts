import type { UserId } from "../ids.ts";
import { execute, isDuplicate, select, transaction } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";

export type Role = "admin" | "user";
export type User = { userId: UserId; username: string; role: Role; isDisabled: boolean; createdAt: Date };
export type NewUser = {
  userId: UserId;
  username: string;
  passwordHash: string;
  role: Role;
  /** The key that the client gave for the creation, and the hash of its request. */
  idempotency?: { key: string; fingerprint: Buffer };
};
export type UserChange = { role?: Role; passwordHash?: string; isDisabled?: boolean };

const COLUMNS = "user_id, username, role, disabled_at, created_at";
type Row = { user_id: UserId; username: string; role: Role; disabled_at: Date | null; created_at: Date };
const fromRow = (row: Row): User => ({
  userId: row.user_id,
  username: row.username,
  role: row.role,
  isDisabled: row.disabled_at !== null,
  createdAt: row.created_at,
});

/** False when the name is taken (in any case of letters), or the idempotency key was used before. */
export async function create(database: Database, user: NewUser): Promise<boolean> {
  const sql = `INSERT INTO users (user_id, username, password_hash, role, creation_key, creation_fingerprint)
    VALUES (?, ?, ?, ?, ?, ?)`;
  const creation = [user.idempotency?.key ?? null, user.idempotency?.fingerprint ?? null];
  try {
    await execute(database.pool, sql, [user.userId, user.username, user.passwordHash, user.role, ...creation]);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** Who was created under an idempotency key; undefined when nobody, or they were removed since. */
export async function getCreation(
  database: Database,
  key: string,
): Promise<{ userId: UserId; fingerprint: Buffer } | undefined> {
  const sql = "SELECT user_id AS userId, creation_fingerprint AS fingerprint FROM users WHERE creation_key = ?";
  const [row] = await select<{ userId: UserId; fingerprint: Buffer }>(database.pool, sql, [key]);
  return row;
}

export async function get(database: Database, userId: UserId): Promise<User | undefined> {
  const [row] = await select<Row>(database.pool, `SELECT ${COLUMNS} FROM users WHERE user_id = ?`, [userId]);
  return row && fromRow(row);
}

/** A page of everybody, oldest first, and how many there are. */
export async function list(
  database: Database,
  page: { limit: number; offset: number },
): Promise<{ users: User[]; total: number }> {
  const [limit, offset] = [Math.trunc(page.limit), Math.trunc(page.offset)];
  const sql = `SELECT ${COLUMNS} FROM users ORDER BY created_at, user_id LIMIT ${limit} OFFSET ${offset}`;
  const rows = await select<Row>(database.pool, sql);
  const [count] = await select<{ total: number }>(database.pool, "SELECT COUNT(*) AS total FROM users");
  return { users: rows.map(fromRow), total: count?.total ?? 0 };
}

/** Whom a login is about, also when they are disabled. */
export async function findForLogin(
  database: Database,
  username: string,
): Promise<(User & { passwordHash: string }) | undefined> {
  const sql = `SELECT ${COLUMNS}, password_hash FROM users WHERE username = ?`;
  const [row] = await select<Row & { password_hash: string }>(database.pool, sql, [username]);
  return row && { ...fromRow(row), passwordHash: row.password_hash };
}

export async function getPasswordHash(database: Database, userId: UserId): Promise<string | undefined> {
  const sql = "SELECT password_hash FROM users WHERE user_id = ?";
  const [row] = await select<{ password_hash: string }>(database.pool, sql, [userId]);
  return row?.password_hash;
}

/** Changes what is given. `last_admin`: nobody would be left to administer, so nothing was changed. */
export async function update(
  database: Database,
  userId: UserId,
  change: UserChange,
): Promise<"updated" | "not_found" | "last_admin"> {
  return await transaction(database, async (runner) => {
    const user = await lock(runner, userId);
    if (!user) return "not_found";
    if (user.isLastAdmin && (change.role === "user" || change.isDisabled === true)) return "last_admin";
    const sql = `UPDATE users SET role = COALESCE(?, role), password_hash = COALESCE(?, password_hash),
        disabled_at = IF(? IS NULL, disabled_at, IF(?, COALESCE(disabled_at, NOW(3)), NULL))
      WHERE user_id = ?`;
    const isDisabled = change.isDisabled === undefined ? null : Number(change.isDisabled);
    await execute(runner, sql, [change.role ?? null, change.passwordHash ?? null, isDisabled, isDisabled, userId]);
    return "updated";
  });
}

/** Removes a user with their tokens and logins. Not while devices belong to them: their state lies under the owner. */
export async function remove(
  database: Database,
  userId: UserId,
): Promise<"removed" | "not_found" | "last_admin" | "has_devices"> {
  return await transaction(database, async (runner) => {
    const user = await lock(runner, userId);
    if (!user) return "not_found";
    if (user.isLastAdmin) return "last_admin";
    const devices = await select(runner, "SELECT 1 FROM devices WHERE user_id = ? LIMIT 1 FOR UPDATE", [userId]);
    if (devices.length) return "has_devices";
    await execute(runner, "DELETE FROM users WHERE user_id = ?", [userId]);
    return "removed";
  });
}

/** The first administrator, or undefined on a fresh database. */
export async function firstAdmin(database: Database): Promise<{ userId: UserId; username: string } | undefined> {
  const sql = "SELECT user_id, username FROM users WHERE role = 'admin' ORDER BY created_at, user_id LIMIT 1";
  const [row] = await select<{ user_id: UserId; username: string }>(database.pool, sql);
  return row && { userId: row.user_id, username: row.username };
}

/** Takes the rows of every administrator as well, so that two of them cannot remove each other at once. */
async function lock(runner: Runner, userId: UserId): Promise<{ isLastAdmin: boolean } | undefined> {
  const sql = `SELECT user_id, role, disabled_at FROM users WHERE role = 'admin' OR user_id = ?
    ORDER BY user_id FOR UPDATE`;
  const rows = await select<Pick<Row, "user_id" | "role" | "disabled_at">>(runner, sql, [userId]);
  if (!rows.some((row) => row.user_id === userId)) return undefined;
  const admins = rows.filter((row) => row.role === "admin" && row.disabled_at === null);
  return { isLastAdmin: admins.length === 1 && admins[0]?.user_id === userId };
}
