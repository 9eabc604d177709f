import { execute, select } from "./pool.ts";
import type { Database } from "./pool.ts";

export const WINDOW_SECONDS = 60;
/** The number of the window in which an instant is, in seconds since 1970. */
export const windowAt = (seconds: number) => Math.floor(seconds / WINDOW_SECONDS);

/**
 * Adds requests to a subject's count in a window. A late addition to an earlier window is dropped.
 * @returns how many there are with these, by every process
 */
export async function add(database: Database, subject: string, window: number, requests: number): Promise<number> {
  // Assignments run from left to right: the first sees the old window.
  const sql = `INSERT INTO request_counts (subject, window_start, requests) VALUES (?, ?, ?)
    ON DUPLICATE KEY UPDATE
      requests = IF(window_start = VALUES(window_start), requests + VALUES(requests),
        IF(window_start < VALUES(window_start), VALUES(requests), requests)),
      window_start = GREATEST(window_start, VALUES(window_start))`;
  await execute(database.pool, sql, [subject, window, requests]);
  const [row] = await select<{ requests: number }>(
    database.pool,
    "SELECT requests FROM request_counts WHERE subject = ? AND window_start = ?",
    [subject, window],
  );
  return row?.requests ?? 0;
}

/** Counts of windows that have ended on every clock. @returns how many */
export async function removeEnded(database: Database): Promise<number> {
  const latest = windowAt(Date.now() / 1000) - 1;
  return await execute(database.pool, "DELETE FROM request_counts WHERE window_start < ?", [latest]);
}
