import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { inheritedEnvironment } from "../../shared/config.ts";

const run = promisify(execFile);

/** A MySQL-compatible server program. `libraryPath` is set for a private copy that brings its own libraries. */
export type DatabaseServer = { binary: string; flavour: "mariadb" | "mysql"; libraryPath?: string };

/** MariaDB first: it is what the tests run on. `mysqld` is its older name, or MySQL itself. */
const PROGRAMS = ["mariadbd", "mysqld"];
/** Where packages put a server beside PATH: on Debian /usr/sbin is not on an ordinary user's PATH. */
const SERVER_DIRECTORIES = [
  "/usr/sbin",
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/libexec",
  "/usr/local/mysql/bin",
  "/opt/homebrew/bin",
  "/opt/homebrew/opt/mariadb/bin",
  "/opt/homebrew/opt/mysql/bin",
  "/usr/local/opt/mariadb/bin",
  "/usr/local/opt/mysql/bin",
];

export const serverDirectories = () => [
  ...(inheritedEnvironment().PATH ?? "").split(delimiter).filter(Boolean),
  ...SERVER_DIRECTORIES,
];

/** The first server in these directories that runs here; undefined when there is none. */
export async function findServer(directories: readonly string[]): Promise<DatabaseServer | undefined> {
  for (const program of PROGRAMS) {
    for (const directory of directories) {
      const server = await probeServer(join(directory, program));
      if (server) return server;
    }
  }
  return undefined;
}

/** What the program at this path is; undefined when it is missing or does not run (a library that it needs is missing). */
export async function probeServer(path: string, libraryPath?: string): Promise<DatabaseServer | undefined> {
  try {
    const binary = await realpath(path);
    const env = { ...inheritedEnvironment(), ...libraryEnvironment(libraryPath) };
    const { stdout } = await run(binary, ["--no-defaults", "--version"], { env });
    return { binary, flavour: /mariadb/i.test(stdout) ? "mariadb" : "mysql", ...(libraryPath && { libraryPath }) };
  } catch {
    return undefined;
  }
}

export const libraryEnvironment = (libraryPath: string | undefined) =>
  libraryPath ? { LD_LIBRARY_PATH: libraryPath } : {};
