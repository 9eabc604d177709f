import { existsSync } from "node:fs";
import { cp, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { LaunchError } from "../launch-error.ts";
import { loadSecrets } from "../secrets.ts";
import { writePrivateFile } from "../write-private-file.ts";
import { dumpDatabase } from "./dump-database.ts";
import { withInstallation } from "./installation.ts";
import { manifestText } from "./manifest.ts";

/**
 * Writes everything that an installation keeps into a directory: the tables, the objects and queues of the local cloud,
 * the secrets. The installation must not run: its parts would be of different moments.
 * @throws `LaunchError` when it runs, there is none, or the target is not empty
 */
export async function backUp(options: { dataDir: string; target: string; databaseUrl?: string }): Promise<void> {
  const { dataDir, target } = options;
  if (!existsSync(join(dataDir, "secrets.json"))) throw new LaunchError(`there is no installation in ${dataDir}`);
  await mkdir(target, { recursive: true, mode: 0o700 });
  if ((await readdir(target)).length > 0) throw new LaunchError(`${target} is not empty: choose a new directory`);
  await withInstallation(dataDir, options.databaseUrl, async ({ path, withDatabase }) => {
    const secrets = await loadSecrets(path);
    const migrations = await withDatabase((url) => dumpDatabase(url, join(target, "database.sql.gz")));
    await cp(join(path, "cloud"), join(target, "cloud"), { recursive: true });
    await writePrivateFile(join(target, "secrets.json"), `${JSON.stringify(secrets, undefined, 2)}\n`);
    const { installation } = secrets;
    const createdAt = new Date().toISOString();
    await writePrivateFile(join(target, "manifest.json"), manifestText({ createdAt, installation, migrations }));
  });
}
