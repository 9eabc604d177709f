import type { UserId } from "../ids.ts";
import { execute, select, transaction } from "./pool.ts";
import type { Database } from "./pool.ts";
import type { Role } from "./users.ts";

/** A login ends when it was not used for so long, and at last at this age. */
const IDLE_HOURS = 12;
export const LOGIN_MAX_AGE_SECONDS = 7 * 24 * 3600;
/** More browsers than this nobody has: the login that was not used for longest goes. */
const MAX_PER_USER = 20;
/** As with tokens. */
const USE_NOTED_EVERY_SECONDS = 60;

export type LoginCaller = { userId: UserId; role: Role; expiresAt: Date };

const IS_VALID = `l.expires_at > NOW(3) AND l.used_at > NOW(3) - INTERVAL ${IDLE_HOURS} HOUR`;

/** @param hash of the cookie, keyed */
export async function create(database: Database, hash: Buffer, userId: UserId): Promise<void> {
  await transaction(database, async (runner) => {
    const sql = `INSERT INTO logins (hash, user_id, expires_at) VALUES (?, ?, NOW(3) + INTERVAL ? SECOND)`;
    await execute(runner, sql, [hash, userId, LOGIN_MAX_AGE_SECONDS]);
    const [oldest] = await select<{ used_at: Date }>(
      runner,
      `SELECT used_at FROM logins WHERE user_id = ? ORDER BY used_at DESC LIMIT ${MAX_PER_USER}, 1`,
      [userId],
    );
    if (oldest)
      await execute(runner, "DELETE FROM logins WHERE user_id = ? AND used_at <= ?", [userId, oldest.used_at]);
  });
}

/** Who calls with the cookie of this hash, and notes that it was used; undefined when it is not valid now. */
export async function findCaller(database: Database, hash: Buffer): Promise<LoginCaller | undefined> {
  const stale = `l.used_at < NOW(3) - INTERVAL ${USE_NOTED_EVERY_SECONDS} SECOND`;
  const sql = `SELECT l.user_id, l.expires_at, u.role, (${stale}) AS is_stale
    FROM logins l JOIN users u ON u.user_id = l.user_id
    WHERE l.hash = ? AND ${IS_VALID} AND u.disabled_at IS NULL`;
  type Row = { user_id: UserId; expires_at: Date; role: Role; is_stale: number };
  const [row] = await select<Row>(database.pool, sql, [hash]);
  if (row?.is_stale === 1) await execute(database.pool, "UPDATE logins SET used_at = NOW(3) WHERE hash = ?", [hash]);
  return row && { userId: row.user_id, role: row.role, expiresAt: row.expires_at };
}

export async function remove(database: Database, hash: Buffer): Promise<void> {
  await execute(database.pool, "DELETE FROM logins WHERE hash = ?", [hash]);
}

/** Ends every login of the user but one. @param kept null: every one */
export async function removeOthers(database: Database, userId: UserId, kept: Buffer | null): Promise<void> {
  await execute(database.pool, "DELETE FROM logins WHERE user_id = ? AND NOT hash <=> ?", [userId, kept]);
}

/** Those that nobody can use any more. @returns how many */
export async function removeEnded(database: Database): Promise<number> {
  return await execute(database.pool, `DELETE l FROM logins l WHERE NOT (${IS_VALID})`);
}
