import { existsSync } from "node:fs";
import { cp, mkdir, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import mysql from "mysql2/promise";
import type { RowDataPacket } from "mysql2/promise";
import { REPOSITORY } from "../repository.ts";
import { LaunchError } from "../launch-error.ts";
import { loadDatabase } from "./load-database.ts";
import { withInstallation } from "./installation.ts";
import type { Installation } from "./installation.ts";
import { readManifest } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";

type Options = { source: string; dataDir: string; force: boolean; databaseUrl?: string };

const WHY =
  "WhatsApp's encryption moves on with every message: devices that are taken back to an older state cannot read what was " +
  "sent since, and may be logged out. --force does it nevertheless";

/**
 * Puts a backup into a directory of data, and its tables into the database that the environment names or a private one.
 * What was there is moved to `replaced-<time>`, but for the tables of a given database.
 * @throws `LaunchError` when the installation runs, the backup is not whole or of a newer version, or, without `force`,
 *   when it would replace device state that is newer or another installation's
 */
export async function bringBack({ source, dataDir, force, databaseUrl }: Options): Promise<void> {
  const manifest = await readManifest(source);
  const known = await readdir(join(REPOSITORY, "shared", "db", "migrations"));
  const unknown = manifest.migrations.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new LaunchError(`the backup is of a newer version: it has had ${unknown.join(", ")}`);
  await withInstallation(dataDir, databaseUrl, async (installation) => {
    if (!force) await refuseLoss(installation, manifest);
    await moveAside(installation);
    await cp(join(source, "cloud"), join(installation.path, "cloud"), { recursive: true });
    await cp(join(source, "secrets.json"), join(installation.path, "secrets.json"));
    await installation.withDatabase((url) => loadDatabase(url, join(source, "database.sql.gz")));
  });
}

async function refuseLoss({ path, givenDatabaseUrl }: Installation, { createdAt }: Manifest): Promise<void> {
  const cloud = join(path, "cloud");
  if (existsSync(cloud)) {
    const changedAt = await lastChange(cloud);
    if (changedAt > new Date(createdAt)) {
      throw new LaunchError(
        `${cloud} was written at ${changedAt.toISOString()}, after the backup of ${createdAt}. ${WHY}`,
      );
    }
  } else if (givenDatabaseUrl && (await hasDevices(givenDatabaseUrl))) {
    throw new LaunchError(`the database at ${new URL(givenDatabaseUrl).host} has devices of another directory. ${WHY}`);
  }
}

async function lastChange(directory: string): Promise<Date> {
  const entries = await readdir(directory, { recursive: true });
  const times = await Promise.all(entries.map(async (entry) => (await stat(join(directory, entry))).mtimeMs));
  return new Date(times.reduce((latest, time) => Math.max(latest, time), 0));
}

async function hasDevices(url: string): Promise<boolean> {
  const connection = await mysql.createConnection({ uri: url });
  try {
    const [tables] = await connection.query<RowDataPacket[]>("SHOW TABLES LIKE 'devices'");
    if (tables.length === 0) return false;
    const [rows] = await connection.query<RowDataPacket[]>("SELECT 1 FROM devices LIMIT 1");
    return rows.length > 0;
  } finally {
    await connection.end();
  }
}

async function moveAside({ path }: Installation): Promise<void> {
  const aside = join(path, `replaced-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`);
  for (const name of ["cloud", "secrets.json", "mysql"]) {
    if (!existsSync(join(path, name))) continue;
    await mkdir(aside, { recursive: true, mode: 0o700 });
    await rename(join(path, name), join(aside, name));
  }
}
