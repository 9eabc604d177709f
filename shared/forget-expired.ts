import * as audit from "./db/audit.ts";
import * as media from "./db/media.ts";
import * as passwordAttempts from "./db/password-attempts.ts";
import type { Database } from "./db/pool.ts";
import * as receivedMedia from "./db/received-media.ts";
import * as requestCounts from "./db/request-counts.ts";
import * as tokens from "./db/tokens.ts";
import * as userLogins from "./db/user-logins.ts";

/**
 * Removes what nobody can use any more of who may call: logins that have ended, windows of password tries and of
 * requests, tokens that were revoked, uploads that have expired, and audit entries that are older than they are kept. Cheap when there is nothing
 * to do.
 */
export async function forgetExpired(database: Database, auditRetentionDays: number): Promise<void> {
  await userLogins.removeEnded(database);
  await passwordAttempts.removeEnded(database);
  await requestCounts.removeEnded(database);
  await tokens.removeRevoked(database, auditRetentionDays);
  await media.removeExpired(database);
  await receivedMedia.removeExpired(database);
  await audit.removeOlder(database, auditRetentionDays);
}
