import mysql from "mysql2/promise";
import { LaunchError } from "../launch-error.ts";

/** MySQL's number for "Unknown database". */
const UNKNOWN_DATABASE = 1049;
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Makes sure that a server given by the operator answers and has the database that the URL names, and creates that if
 * it is missing. Throws `LaunchError` when the server cannot be reached, refuses the user, or does not permit it.
 */
export async function prepareGivenDatabase(url: string): Promise<void> {
  const name = decodeURIComponent(new URL(url).pathname.slice(1));
  if (!name) throw new LaunchError("DATABASE_URL names no database: it ends in /<name>");
  try {
    if (await exists(url)) return;
    const server = new URL(url);
    server.pathname = "/";
    const connection = await connect(server.href);
    await connection.query(
      `CREATE DATABASE IF NOT EXISTS ${mysql.escapeId(name)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
    );
    await connection.end();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message || String("code" in cause && cause.code) : String(cause);
    throw new LaunchError(`the database at ${new URL(url).host} cannot be used: ${reason}`, { cause });
  }
}

const connect = (url: string) => mysql.createConnection({ uri: url, connectTimeout: CONNECT_TIMEOUT_MS });

async function exists(url: string): Promise<boolean> {
  try {
    await (await connect(url)).end();
    return true;
  } catch (error) {
    if (error instanceof Error && "errno" in error && error.errno === UNKNOWN_DATABASE) return false;
    throw error;
  }
}
