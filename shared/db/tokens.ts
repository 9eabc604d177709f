import type { TokenId, UserId } from "../ids.ts";
import type { Role } from "./users.ts";
import { execute, select } from "./pool.ts";
import type { Database } from "./pool.ts";

export type NewTokenRow = { tokenId: TokenId; userId: UserId; name: string; prefix: string; hash: Buffer };

export async function create(database: Database, token: NewTokenRow): Promise<void> {
  const sql = "INSERT INTO tokens (token_id, user_id, name, prefix, hash) VALUES (?, ?, ?, ?, ?)";
  await execute(database.pool, sql, [token.tokenId, token.userId, token.name, token.prefix, token.hash]);
}

/** Who calls with the token of this hash; undefined when there is none, it has expired or was revoked. */
export async function findCaller(
  database: Database,
  hash: Buffer,
): Promise<{ userId: UserId; role: Role } | undefined> {
  const sql = `SELECT t.user_id, u.role FROM tokens t JOIN users u ON u.user_id = t.user_id
    WHERE t.hash = ? AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > NOW(3))`;
  const [row] = await select<{ user_id: UserId; role: Role }>(database.pool, sql, [hash]);
  return row && { userId: row.user_id, role: row.role };
}
