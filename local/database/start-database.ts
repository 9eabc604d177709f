import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import mysql from "mysql2/promise";
import { inheritedEnvironment } from "../../shared/config.ts";
import { LaunchError } from "../launch-error.ts";
import { openLogFile } from "../log-file.ts";
import { processHandle } from "../process-handle.ts";
import type { ProcessHandle } from "../process-handle.ts";
import { bootstrap, userFlags } from "./bootstrap.ts";
import { chooseServer } from "./choose-server.ts";
import { libraryEnvironment } from "./find-server.ts";
import type { DatabaseServer } from "./find-server.ts";

/** A private database server. `url` is for mysql2: `createPool({ uri: url })` and `createConnection(url)` take it. */
export type DatabaseProcess = ProcessHandle & { url: string; dispose(): Promise<void> };

const DATABASE_NAME = "whatsapp";
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const POLL_INTERVAL_MS = 15;
/** A Unix socket's path is at most 104 bytes on macOS and 108 on Linux (sockaddr_un). */
const MAX_SOCKET_PATH_BYTES = 100;

/**
 * The server replaces this shell, so its pid is the server's. The shell left behind holds a pipe from the launcher:
 * a line says that the server has ended; the end of the pipe means that the launcher died, however it died, and the
 * server is stopped.
 */
const KEEPER = `(read -r released || kill -TERM $$) <&3 >/dev/null 2>&1 & exec "$@" 3<&-`;

/** Small buffers, as little is cached for long; InnoDB's default of a flush at every commit stays. */
const FLAGS = [
  "--skip-networking",
  "--character-set-server=utf8mb4",
  "--collation-server=utf8mb4_unicode_ci",
  "--default-time-zone=+00:00",
  "--innodb-buffer-pool-size=32M",
  "--key-buffer-size=1M",
  "--table-open-cache=200",
  "--max-connections=200",
  "--max-allowed-packet=64M",
  "--performance-schema=OFF",
  "--skip-log-bin",
];
const FLAVOUR_FLAGS = {
  mariadb: [
    "--aria-pagecache-buffer-size=1M",
    "--innodb-log-buffer-size=2M",
    "--skip-name-resolve",
    // Containers often forbid io_uring; a server that asks for it complains at each start.
    "--loose-innodb-use-native-aio=0",
  ],
  mysql: ["--mysqlx=OFF"],
};

/**
 * Starts a MariaDB (or MySQL) of our own on a Unix socket, with its files under `dataDir`, and makes the database
 * `whatsapp`. Only the owner of `dataDir` (mode 0700) gets at the socket, so there is no password. It dies with this
 * process. Starting again after a crash recovers every committed row.
 *
 * Throws `LaunchError` when no server is found or it does not start. `report` is told of steps that take seconds.
 */
export async function startDatabase(options: {
  dataDir: string;
  report?: (line: string) => void;
}): Promise<DatabaseProcess> {
  const dataDir = resolve(options.dataDir);
  await mkdir(join(dataDir, "logs"), { recursive: true, mode: 0o700 });
  const server = await chooseServer(dataDir, options.report ?? (() => undefined));
  const files = join(dataDir, "mysql");
  if (!existsSync(files)) await bootstrap(server, files);

  const socketPath = await socketPathFor(dataDir);
  const logPath = join(dataDir, "logs", "database.log");
  const child = await launch(server, files, socketPath, logPath);
  const handle = processHandle(child, STOP_DEADLINE_MS);
  try {
    await createDatabase(socketPath, handle.exited, logPath);
  } catch (error) {
    await handle.stop();
    throw error;
  }
  const url = `mysql://root@localhost/${DATABASE_NAME}?socketPath=${encodeURIComponent(socketPath)}`;
  const stop = async () => {
    await handle.stop();
    if (dirname(socketPath) !== dataDir) await rm(dirname(socketPath), { recursive: true, force: true });
  };
  return { ...handle, stop, url, dispose: stop };
}

async function launch(server: DatabaseServer, files: string, socketPath: string, logPath: string) {
  const scratch = `${files}.tmp`;
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const flags = [
    "--no-defaults",
    `--datadir=${files}`,
    // A server that starts removes what looks like temporary tables there: those of others too, were it /tmp.
    `--tmpdir=${scratch}`,
    `--socket=${socketPath}`,
    `--pid-file=${files}.pid`,
    ...FLAGS,
    ...FLAVOUR_FLAGS[server.flavour],
    ...userFlags(),
  ];
  const env = { ...inheritedEnvironment(), ...libraryEnvironment(server.libraryPath) };
  const log = await openLogFile(logPath);
  const child: ChildProcess = spawn("/bin/sh", ["-c", KEEPER, "sh", server.binary, ...flags], {
    env,
    // Its own process group: Ctrl-C in the terminal reaches only the launcher.
    detached: true,
    stdio: ["ignore", log.fd, log.fd, "pipe"],
  });
  await log.close();
  const lifeline = child.stdio[3] as Writable;
  lifeline.on("error", () => undefined);
  child.once("exit", () => lifeline.end("ended\n"));
  return child;
}

/** Waits until the server answers, then makes the product's database. */
async function createDatabase(socketPath: string, exited: Promise<string>, logPath: string): Promise<void> {
  let ended: string | undefined;
  void exited.then((how) => (ended = how));
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    if (ended) throw new LaunchError(`the database ended while starting (${ended}); see ${logPath}`);
    try {
      const connection = await mysql.createConnection({ socketPath, user: "root", connectTimeout: 5000 });
      await connection.query(
        `CREATE DATABASE IF NOT EXISTS ${DATABASE_NAME} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`,
      );
      await connection.end();
      return;
    } catch (cause) {
      if (Date.now() > deadline) throw new LaunchError(`the database does not answer; see ${logPath}`, { cause });
    }
    await new Promise((done) => setTimeout(done, POLL_INTERVAL_MS));
  }
}

/** In the data directory; for a long path in a private directory of this user, the same one every time. */
async function socketPathFor(dataDir: string): Promise<string> {
  const beside = join(dataDir, "db.sock");
  if (Buffer.byteLength(beside) <= MAX_SOCKET_PATH_BYTES) return beside;
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 16);
  const directory = join(tmpdir(), `whatsapp-db-${name}`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  // Another user may have made it first, in a directory that everybody writes to.
  const { uid, mode } = await lstat(directory);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0) {
    throw new LaunchError(`${directory} is not private: remove it, or choose a data directory with a shorter path`);
  }
  return join(directory, "db.sock");
}
