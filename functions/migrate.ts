import { randomBytes } from "node:crypto";
import * as z from "zod";
import { loadMigrateConfig } from "../shared/config.ts";
import { migrate } from "../shared/db/migrate.ts";
import { openDatabase } from "../shared/db/pool.ts";
import { ensureFirstAdmin } from "../shared/first-admin.ts";
import { createLog } from "../shared/log.ts";

const config = loadMigrateConfig();
const database = openDatabase(config.database);
const log = createLog("migrate", config.logLevel);

const eventSchema = z.object({ firstAdmin: z.string().min(3).max(50).optional() });

/**
 * Brings the tables up to date; every deploy calls it. Called by a person with `{"firstAdmin": "<name>"}`, it makes the
 * first administrator besides and answers the password, once: with an administrator there already it answers none.
 */
export async function handler(event: unknown): Promise<{ applied: string[]; password?: string }> {
  const { firstAdmin } = eventSchema.parse(event);
  const applied = await migrate(database, config.migrations);
  log.info({ applied }, "migrated");
  if (!firstAdmin) return { applied };
  const { password } = await ensureFirstAdmin(database, firstAdmin, () => randomBytes(12).toString("base64url"));
  return { applied, ...(password !== undefined && { password }) };
}
