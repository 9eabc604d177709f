import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { migrate } from "../../shared/db/migrate.ts";
import { openDatabase } from "../../shared/db/pool.ts";
import type { Database } from "../../shared/db/pool.ts";
import * as users from "../../shared/db/users.ts";
import { newUserId } from "../../shared/ids.ts";
import type { UserId } from "../../shared/ids.ts";
import { startDatabase } from "../database/start-database.ts";

/** A migrated database server of a test file's own, gone with it. */
export async function testDatabase(): Promise<Database & { url: string }> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-db-"));
  const server = await startDatabase({ dataDir });
  const database = openDatabase({ url: server.url, poolSize: 10 });
  afterAll(async () => {
    await database.close();
    await server.dispose();
    await rm(dataDir, { recursive: true, force: true });
  });
  // Nothing here is to outlive a loss of power.
  await database.pool.query("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
  await migrate(database);
  return { ...database, url: server.url };
}

/** Somebody to own devices. */
export async function testUser(database: Database): Promise<UserId> {
  const userId = newUserId();
  await users.create(database, { userId, username: userId, passwordHash: "-", role: "user" });
  return userId;
}
