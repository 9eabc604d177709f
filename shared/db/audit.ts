import type { TokenId, UserId } from "../ids.ts";
import { execute, select } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";

/**
 * Who changed what. `userId` is null for a login that named nobody, `target` the id of what was changed; what it was
 * changed to is not kept.
 */
export type AuditEntry = {
  userId: UserId | null;
  tokenId: TokenId | null;
  action: string;
  target: string | null;
  address: string | null;
  requestId: string;
};
export type WrittenAuditEntry = AuditEntry & { entryId: number; occurredAt: Date };

const REMOVED_AT_ONCE = 10_000;

export async function append(runner: Runner, entry: AuditEntry): Promise<void> {
  const sql = `INSERT INTO audit_log (user_id, token_id, action, target, address, request_id) VALUES (?, ?, ?, ?, ?, ?)`;
  const { userId, tokenId, action, target, address, requestId } = entry;
  await execute(runner, sql, [userId, tokenId, action, target, address, requestId]);
}

/** Newest first. @param before only entries with a lower id */
export async function list(database: Database, before: number, limit: number): Promise<WrittenAuditEntry[]> {
  const sql = `SELECT entry_id AS entryId, occurred_at AS occurredAt, user_id AS userId, token_id AS tokenId, action,
      target, address, request_id AS requestId
    FROM audit_log WHERE entry_id < ? ORDER BY entry_id DESC LIMIT ${Math.trunc(limit)}`;
  return await select<WrittenAuditEntry>(database.pool, sql, [before]);
}

/** @returns how many were removed: fewer than all when there are very many, the next round takes those */
export async function removeOlder(database: Database, days: number): Promise<number> {
  const sql = `DELETE FROM audit_log WHERE occurred_at < NOW(3) - INTERVAL ? DAY ORDER BY occurred_at LIMIT ${REMOVED_AT_ONCE}`;
  return await execute(database.pool, sql, [days]);
}
