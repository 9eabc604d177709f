import type { UserId } from "../ids.ts";
import { execute, select } from "./pool.ts";
import type { Database } from "./pool.ts";

export type Role = "admin" | "user";
export type User = { userId: UserId; username: string; passwordHash: string; role: Role };

export async function create(database: Database, user: User): Promise<void> {
  const sql = "INSERT INTO users (user_id, username, password_hash, role) VALUES (?, ?, ?, ?)";
  await execute(database.pool, sql, [user.userId, user.username, user.passwordHash, user.role]);
}

/** The first administrator, or undefined on a fresh database. */
export async function firstAdmin(database: Database): Promise<{ userId: UserId; username: string } | undefined> {
  const sql = "SELECT user_id, username FROM users WHERE role = 'admin' ORDER BY created_at, user_id LIMIT 1";
  const [row] = await select<{ user_id: UserId; username: string }>(database.pool, sql);
  return row && { userId: row.user_id, username: row.username };
}
