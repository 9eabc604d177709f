import { execFile, spawn } from "node:child_process";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { inheritedEnvironment } from "../../shared/config.ts";
import { LaunchError } from "../launch-error.ts";
import { libraryEnvironment } from "./find-server.ts";
import type { DatabaseServer } from "./find-server.ts";

const run = promisify(execFile);

/** It takes half a second; a server whose disk is full waits for room for ever. */
const DEADLINE_MS = 60_000;

/** The server refuses to run as root unless it is told to; for any other user the flag is an error. */
export const userFlags = () => (process.getuid?.() === 0 ? ["--user=root"] : []);

/**
 * Makes the system tables in `target`, which must not exist yet. It is written beside and renamed, so a first start
 * that was killed leaves nothing that a later one would take for a database. Throws `LaunchError`.
 */
export async function bootstrap(server: DatabaseServer, target: string): Promise<void> {
  const unfinished = `${target}.init`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700, recursive: true });
  if (server.flavour === "mariadb") await bootstrapMariadb(server, unfinished);
  else await bootstrapMysql(server, unfinished);
  await rename(unfinished, target);
}

/**
 * What `mariadb-install-db` does (MariaDB's scripts/mysql_install_db.sh), without the client tools that it needs. The
 * two variables at the top leave out the accounts for the operating system's root and for anonymous callers.
 */
async function bootstrapMariadb(server: DatabaseServer, directory: string): Promise<void> {
  const share = shareDirectory(server.binary);
  const read = async (...names: string[]) => {
    const name = names.find((candidate) => existsSync(join(share, candidate)));
    return name ? readFile(join(share, name), "utf8") : "";
  };
  // From 11.0 on the files are named mariadb_*.sql. Bootstrap takes one statement a line.
  const sql = [
    "CREATE DATABASE mysql;",
    "USE mysql;",
    "SET @auth_root_socket=NULL;",
    "SET @skip_auth_anonymous=1;",
    await read("mariadb_system_tables.sql", "mysql_system_tables.sql"),
    await read("mariadb_performance_tables.sql", "mysql_performance_tables.sql"),
    await read("mariadb_system_tables_data.sql", "mysql_system_tables_data.sql"),
    await read("maria_add_gis_sp_bootstrap.sql"),
    await read("mariadb_sys_schema.sql", "mysql_sys_schema.sql"),
  ];
  const flags = [
    "--no-defaults",
    "--bootstrap",
    // Servers that are made side by side must not share scratch files.
    `--tmpdir=${directory}`,
    `--datadir=${directory}`,
    `--lc-messages-dir=${share}`,
    "--log-warnings=0",
    "--enforce-storage-engine=",
    "--max-allowed-packet=8M",
    "--innodb-log-file-size=16M",
    "--innodb-buffer-pool-size=32M",
    "--loose-innodb-use-native-aio=0",
    ...userFlags(),
  ];
  const env = { ...inheritedEnvironment(), ...libraryEnvironment(server.libraryPath) };
  const child = spawn(server.binary, flags, { env, stdio: ["pipe", "ignore", "pipe"], timeout: DEADLINE_MS });
  const complaints: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => complaints.push(text));
  // A server that ends early closes the pipe: its exit code and its complaints tell more than EPIPE.
  child.stdin.on("error", () => undefined);
  child.stdin.end(sql.join("\n"));
  const code = await new Promise<number | null>((done, fail) => child.once("error", fail).once("close", done));
  if (code !== 0) throw new LaunchError(`the database cannot be created: ${reason(complaints.join(""))}`);
}

async function bootstrapMysql(server: DatabaseServer, directory: string): Promise<void> {
  try {
    await run(server.binary, ["--no-defaults", "--initialize-insecure", `--datadir=${directory}`, ...userFlags()]);
  } catch (cause) {
    const stderr = cause instanceof Error && "stderr" in cause ? String(cause.stderr) : String(cause);
    throw new LaunchError(`the database cannot be created: ${reason(stderr)}`, { cause });
  }
}

/** Where the server's SQL files and messages are, relative to the program (installed or private copy). */
function shareDirectory(binary: string): string {
  const base = resolve(dirname(binary), "..");
  const candidates = ["share/mysql", "share/mariadb", "share", "../usr/share/mysql"].map((path) => join(base, path));
  const share = candidates.find((path) =>
    ["mariadb", "mysql"].some((prefix) => existsSync(join(path, `${prefix}_system_tables.sql`))),
  );
  if (!share) throw new LaunchError(`the database cannot be created: ${binary} came without its SQL files`);
  return share;
}

function reason(complaints: string): string {
  const lines = complaints.split("\n").filter((line) => line.trim() !== "");
  return lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? "the server gave no reason";
}
