import { execute } from "./pool.ts";
import type { Database } from "./pool.ts";

/**
 * Takes one login out of the fleet's budget, by the database's clock: at most one every `intervalMs` in the long run, and
 * `burst` of them at once after a quiet time. False when there is none left now.
 */
export async function take(database: Database, intervalMs: number, burst: number): Promise<boolean> {
  const sql = `UPDATE login_budget SET next_at = GREATEST(next_at, NOW(6)) + INTERVAL ? MICROSECOND
    WHERE id = 1 AND next_at <= NOW(6) + INTERVAL ? MICROSECOND`;
  const microseconds = Math.round(intervalMs * 1000);
  return (await execute(database.pool, sql, [microseconds, microseconds * (burst - 1)])) > 0;
}
