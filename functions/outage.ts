import { PasswordsBusy } from "../shared/password.ts";

/** Server errors of MySQL after which the same statement may succeed later, while the connection goes on. */
const MYSQL_PASSING_ERRORS = new Set([
  1040, // too many connections
  1053, // shutting down
  1205, // lock wait time-out
  1213, // deadlock
  1290, // read-only, as a former primary is after a failover
  1836, // read-only, likewise
  1927, // connection killed
]);

/** mysql2 throws these as plain errors: its pool is full, or closed because the process is to end. */
const POOL_REFUSALS = new Set(["Queue limit reached.", "Pool is closed."]);

/**
 * Whether an error means that the database or the queue cannot do its work now, which is neither the client's fault
 * nor a mistake in this code: the answer is 503, and the client may try again.
 */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof PasswordsBusy) return true;
  // The AWS SDK puts `$metadata` on whatever ends a call, mysql2 `fatal` on whatever ends a connection.
  if ("$metadata" in error || ("fatal" in error && error.fatal === true)) return true;
  if (error.name === "AbortError" || error.name === "TimeoutError") return true;
  if ("syscall" in error || POOL_REFUSALS.has(error.message)) return true;
  return "errno" in error && MYSQL_PASSING_ERRORS.has(Number(error.errno));
}
