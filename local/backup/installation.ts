import { loadLauncherConfig } from "../../shared/config.ts";
import { openDataDir } from "../data-dir.ts";
import { prepareGivenDatabase } from "../database/given-database.ts";
import { startDatabase } from "../database/start-database.ts";

/** A directory of data that nobody else uses meanwhile, and how to get at its database. */
export type Installation = {
  path: string;
  /** The operator's database; undefined: a private one in the directory. */
  givenDatabaseUrl: string | undefined;
  /** Runs work with the database; a private server runs only as long. */
  withDatabase<Result>(work: (url: string) => Promise<Result>): Promise<Result>;
};

/**
 * Does something with an installation that does not run, in its directory's lock.
 * @param databaseUrl the operator's database; taken from the environment if not given
 * @throws `LaunchError` when it runs, or cannot be had
 */
export async function withInstallation<Result>(
  dataDir: string,
  databaseUrl: string | undefined,
  work: (installation: Installation) => Promise<Result>,
): Promise<Result> {
  const givenDatabaseUrl = databaseUrl ?? loadLauncherConfig().database?.url;
  const directory = await openDataDir(dataDir, () => undefined);
  const { path } = directory;
  try {
    return await work({
      path,
      givenDatabaseUrl,
      async withDatabase(run) {
        if (givenDatabaseUrl) {
          await prepareGivenDatabase(givenDatabaseUrl);
          return await run(givenDatabaseUrl);
        }
        const server = await startDatabase({ dataDir: path });
        try {
          return await run(server.url);
        } finally {
          await server.dispose();
        }
      },
    });
  } finally {
    await directory.release();
  }
}
