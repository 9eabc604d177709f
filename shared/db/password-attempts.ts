import { execute, select } from "./pool.ts";
import type { Database } from "./pool.ts";

/**
 * Counts a try against a subject, before the password is looked at, so that tries side by side count too. The window
 * begins with the first try.
 * @param subject a hash of whom and from where
 * @returns how many there have been in this window with this one, and when it ends
 */
export async function count(
  database: Database,
  subject: Buffer,
  windowSeconds: number,
): Promise<{ attempts: number; endsInSeconds: number }> {
  // Assignments run from left to right (MySQL manual, INSERT … ON DUPLICATE KEY UPDATE): the second sees the old end.
  const sql = `INSERT INTO password_attempts (subject, attempts, ends_at) VALUES (?, 1, NOW(3) + INTERVAL ? SECOND)
    ON DUPLICATE KEY UPDATE attempts = IF(ends_at > NOW(3), attempts + 1, 1),
      ends_at = IF(ends_at > NOW(3), ends_at, VALUES(ends_at))`;
  await execute(database.pool, sql, [subject, windowSeconds]);
  const [row] = await select<{ attempts: number; ends_in: number }>(
    database.pool,
    "SELECT attempts, TIMESTAMPDIFF(SECOND, NOW(3), ends_at) + 1 AS ends_in FROM password_attempts WHERE subject = ?",
    [subject],
  );
  return { attempts: row?.attempts ?? 0, endsInSeconds: row?.ends_in ?? 0 };
}

/** The password was right: whoever it was is counted anew. */
export async function forget(database: Database, subject: Buffer): Promise<void> {
  await execute(database.pool, "DELETE FROM password_attempts WHERE subject = ?", [subject]);
}

/** Takes a try back that a right password made of many that share a subject. */
export async function takeBack(database: Database, subject: Buffer): Promise<void> {
  const sql = "UPDATE password_attempts SET attempts = attempts - 1 WHERE subject = ? AND attempts > 0";
  await execute(database.pool, sql, [subject]);
}

/** Windows that have ended. @returns how many */
export async function removeEnded(database: Database): Promise<number> {
  return await execute(database.pool, "DELETE FROM password_attempts WHERE ends_at < NOW(3)");
}
