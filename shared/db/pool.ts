import mysql from "mysql2/promise";
import type { DatabaseConfig } from "../config.ts";

/** A pool of connections; every statement goes through `execute`, `select` or `transaction`. */
export type Database = {
  pool: mysql.Pool;
  close: () => Promise<void>;
  /** Told after a commit what its transaction has noted (`noteForCommit`), if it has. */
  onCommitted?: (notes: ReadonlySet<string>) => void;
};

/** What runs a statement: the pool, or one connection inside a transaction. */
export type Runner = Pick<mysql.Connection, "execute">;
type Value = string | number | bigint | Date | Buffer | null;

/**
 * MySQL and MariaDB differ in their default mode; both get the same one. Times are UTC, JSON comes back as text on
 * MariaDB and as a value on MySQL (`parseJson` takes both).
 */
const SESSION = `SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ONLY_FULL_GROUP_BY', time_zone = '+00:00'`;

/** Errors of InnoDB after which the same transaction may succeed: deadlock and lock wait time-out. */
const RETRYABLE = new Set([1213, 1205]);
const MAX_TRIES = 5;
const DUPLICATE_ENTRY = 1062;
/** Of each connection; a server holds 16,382 of all its clients unless told otherwise, and lists have many lengths. */
const PREPARED_STATEMENTS = 200;
/** A server that has fallen silent must not hold a caller for ever. */
const STATEMENT_TIMEOUT_MS = 15_000;

/**
 * @param abandonedAfterSeconds for processes that write under a lease. The server ends a connection of ours that has said
 * nothing for so long, and lets go of its locks: a process that was frozen in the midst of a transaction, or cut off,
 * would otherwise keep its successor out for as long as `wait_timeout` is, eight hours if nobody has changed it.
 * @param lockWaitSeconds for statements that are not worth waiting for: a row or table that is locked for longer is an
 * error
 */
export function openDatabase(
  config: DatabaseConfig,
  abandonedAfterSeconds?: number,
  lockWaitSeconds?: number,
): Database {
  const pool = mysql.createPool({
    uri: config.url,
    connectionLimit: config.poolSize,
    // A request that cannot get a connection must fail soon, not pile up.
    queueLimit: config.poolSize * 20,
    connectTimeout: 10_000,
    maxPreparedStatements: PREPARED_STATEMENTS,
    timezone: "Z",
    charset: "utf8mb4_unicode_ci",
    supportBigNumbers: true,
    // An idle connection is given up long before the server would.
    ...(abandonedAfterSeconds && { maxIdle: config.poolSize - 1, idleTimeout: abandonedAfterSeconds * 500 }),
  });
  // The callback pool under the promise pool announces each new connection before it is handed out; statements on a
  // connection run in order, so this one comes first.
  pool.pool.on("connection", (connection) => {
    connection.query(SESSION, () => undefined);
    if (abandonedAfterSeconds) connection.query(`SET SESSION wait_timeout = ${abandonedAfterSeconds}`, () => undefined);
    if (lockWaitSeconds) {
      const patience = `SET SESSION lock_wait_timeout = ${lockWaitSeconds}, innodb_lock_wait_timeout = ${lockWaitSeconds}`;
      connection.query(patience, () => undefined);
    }
  });
  return { pool, close: () => pool.end() };
}

/** Rows of a SELECT. `Row` is what the statement's columns are; the caller maps it. */
export async function select<Row>(runner: Runner, sql: string, values: Value[] = []): Promise<Row[]> {
  const [rows] = await runner.execute<mysql.RowDataPacket[]>({ sql, values, timeout: STATEMENT_TIMEOUT_MS });
  return rows as unknown as Row[];
}

/**
 * How many rows a statement changed (matched and different, as MySQL counts). A statement of its own, outside of a
 * transaction, is made again after a deadlock.
 */
export async function execute(runner: Runner, sql: string, values: Value[] = []): Promise<number> {
  const tries = "getConnection" in runner ? MAX_TRIES : 1;
  for (let attempt = 1; ; attempt++) {
    try {
      const [result] = await runner.execute<mysql.ResultSetHeader>({ sql, values, timeout: STATEMENT_TIMEOUT_MS });
      return result.affectedRows;
    } catch (error) {
      if (attempt >= tries || !isPassing(error)) throw error;
    }
  }
}

const notes = new WeakMap<Runner, Set<string>>();

/** Says something that is to be told, once, when the transaction is committed, and not at all if it is not. */
export function noteForCommit(runner: Runner, note: string): void {
  notes.set(runner, (notes.get(runner) ?? new Set()).add(note));
}

/** Runs `work` in one transaction; begins again after a deadlock, so `work` must be repeatable. */
export async function transaction<T>(database: Database, work: (runner: Runner) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const connection = await database.pool.getConnection();
    try {
      notes.delete(connection);
      await connection.beginTransaction();
      const value = await work(connection);
      await connection.commit();
      const noted = notes.get(connection);
      if (noted) database.onCommitted?.(noted);
      return value;
    } catch (error) {
      await connection.rollback().catch(() => connection.destroy());
      if (attempt >= MAX_TRIES || !isPassing(error)) throw error;
    } finally {
      connection.release();
    }
  }
}

const isPassing = (error: unknown) => RETRYABLE.has(errnoOf(error) ?? 0);
export const isDuplicate = (error: unknown) => errnoOf(error) === DUPLICATE_ENTRY;

/**
 * Whether the server took a statement and will not have it, now or later: a value that does not fit, a table that is
 * damaged. The transaction goes on without it, as InnoDB undoes the one statement. Not so after a deadlock, a wait that was
 * too long, or without a connection.
 */
export const isRefused = (error: unknown) =>
  errnoOf(error) !== undefined && !isPassing(error) && !(error instanceof Error && "fatal" in error && error.fatal);

/** A JSON column: text on MariaDB, a value on MySQL, null on both. */
export const parseJson = (column: unknown): unknown => (typeof column === "string" ? JSON.parse(column) : column);

function errnoOf(error: unknown): number | undefined {
  const errno = error instanceof Error && "errno" in error ? error.errno : undefined;
  return typeof errno === "number" ? errno : undefined;
}
