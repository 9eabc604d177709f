import { constants } from "node:fs";
import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { LaunchError } from "../launch-error.ts";
import { REPOSITORY } from "../repository.ts";
import { canFetchServer, fetchServer, fetchedServer } from "./fetch-server.ts";
import { findServer, serverDirectories } from "./find-server.ts";
import type { DatabaseServer } from "./find-server.ts";

const HELP = [
  "no MariaDB or MySQL server was found. Debian, Ubuntu: sudo apt install mariadb-server-core (starts no service)",
  "macOS: brew install mariadb",
  "Fedora: sudo dnf install mariadb-server",
  "or use a server that you have: DATABASE_URL=mysql://user:password@host:3306/whatsapp",
].join(" · ");

/**
 * An installed server; else the private copy that was fetched before; else, where apt is, a private copy fetched now.
 * Throws a `LaunchError` that says what to install when there is none.
 * @param report is told of a step that takes seconds
 * @param directories where installed servers are looked for
 */
export async function chooseServer(
  dataDir: string,
  report: (line: string) => void,
  directories: readonly string[] = serverDirectories(),
): Promise<DatabaseServer> {
  const installed = await findServer(directories);
  if (installed) return installed;
  const copy = await copyDirectory(dataDir);
  const fetched = await fetchedServer(copy);
  if (fetched) return fetched;
  if (!canFetchServer()) throw new LaunchError(HELP);
  report("no MariaDB is installed: fetching a private copy (about 8 MB) …");
  try {
    return await fetchServer(copy);
  } catch (cause) {
    const lines = cause instanceof Error ? cause.message.trim().split("\n") : [];
    const reason = lines.findLast((line) => line.startsWith("E: ")) ?? lines[0];
    throw new LaunchError(`${HELP} (a private copy could not be fetched: ${reason})`, { cause });
  }
}

/**
 * In the checkout, so that all data directories and runs share it and `npm ci` does not remove it; no home directory
 * is needed. In the data directory where the checkout belongs to somebody else.
 */
async function copyDirectory(dataDir: string): Promise<string> {
  const tools = join(REPOSITORY, ".local", "tools");
  const shared = await mkdir(tools, { recursive: true, mode: 0o700 })
    .then(() => access(tools, constants.W_OK))
    .then(
      () => true,
      () => false,
    );
  return join(shared ? tools : join(dataDir, "tools"), "mariadb");
}
