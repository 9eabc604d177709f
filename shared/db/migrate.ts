import { readdir, readFile } from "node:fs/promises";
import { execute, select } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";

const MIGRATIONS = new URL("./migrations/", import.meta.url);
const LOCK = "whatsapp_gateway_migrations";
const LOCK_WAIT_SECONDS = 10;
const LOCK_TRIES = 6;

/**
 * Applies the numbered files of `migrations/` that have not been applied, in order, under a named lock, so that any
 * number of processes may start at once. Forward only. MySQL commits every DDL statement by itself: a file that failed
 * half-way is reported by name and is to be mended by hand.
 * @param directory where the files are; a bundled function has them elsewhere
 * @returns the names of the files that were applied now
 */
export async function migrate(database: Database, directory: URL = MIGRATIONS): Promise<string[]> {
  const connection = await database.pool.getConnection();
  try {
    await takeLock(connection);
    await execute(
      connection,
      `CREATE TABLE IF NOT EXISTS schema_migrations (
         name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
         applied_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
       ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci`,
    );
    const rows = await select<{ name: string }>(connection, "SELECT name FROM schema_migrations");
    const applied = new Set(rows.map((row) => row.name));
    const files = (await readdir(directory)).filter((name) => name.endsWith(".sql")).toSorted();
    const missing = files.filter((name) => !applied.has(name));
    for (const name of missing) {
      const sql = await readFile(new URL(name, directory), "utf8");
      for (const statement of statementsOf(sql)) {
        try {
          await connection.query(statement);
        } catch (cause) {
          throw new Error(`migration ${name} failed`, { cause });
        }
      }
      await execute(connection, "INSERT INTO schema_migrations (name) VALUES (?)", [name]);
    }
    return missing;
  } finally {
    await connection.query("DO RELEASE_LOCK(?)", [LOCK]).catch(() => undefined);
    connection.release();
  }
}

async function takeLock(runner: Runner): Promise<void> {
  for (let attempt = 0; attempt < LOCK_TRIES; attempt++) {
    const [lock] = await select<{ got: number | null }>(runner, "SELECT GET_LOCK(?, ?) AS got", [
      LOCK,
      LOCK_WAIT_SECONDS,
    ]);
    if (lock?.got === 1) return;
  }
  throw new Error(`another process has held the migration lock for ${LOCK_TRIES * LOCK_WAIT_SECONDS} s`);
}

/** Statements end with a semicolon at the end of a line; comment lines are dropped. */
function statementsOf(sql: string): string[] {
  const code = sql.split("\n").filter((line) => !line.trimStart().startsWith("--"));
  return code
    .join("\n")
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter(Boolean);
}
