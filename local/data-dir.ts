import { constants } from "node:fs";
import { access, chmod, mkdir, readdir, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import { acquireLock, LockedError } from "./cloud/store/lock.ts";
import { LaunchError } from "./launch-error.ts";

/** Everything that one installation keeps lies in one directory, owner only, used by one launcher at a time. */
export type DataDir = {
  path: string;
  logs: string;
  /** Whether its disk has no room left: what fails then fails in many ways, for this one reason. */
  isFull(): Promise<boolean>;
  release(): Promise<void>;
};

/** What a first start writes: the database 31 MB, a private copy of its program 45 MB, then logs and data. */
const MIN_FREE_BYTES = 150 * 2 ** 20;
/** Below this nothing works any more. */
const FULL_BYTES = 2 ** 20;
/** One of these is in every directory that was used before. */
const MARKS = ["lock", "secrets.json"];
/** What a start that failed leaves, and the installation of packages. */
const HARMLESS = ["logs", "tools"];

/**
 * Makes the directory if needed, takes its lock, and gives its absolute path. The lock of a dead launcher is taken
 * over. Throws `LaunchError` when another launcher uses it, it cannot be written, the disk is full, or it holds
 * somebody else's files.
 * @param onLost called once if the lock is removed later on, for instance with the whole directory
 */
export async function openDataDir(directory: string, onLost: (reason: string) => void): Promise<DataDir> {
  const path = resolve(directory);
  try {
    const logs = join(path, "logs");
    await mkdir(path, { recursive: true, mode: 0o700 });
    const names = await readdir(path);
    const used = names.some((name) => MARKS.includes(name));
    if (!used && names.some((name) => !HARMLESS.includes(name))) {
      throw new LaunchError(`${path} holds other files: choose an empty directory, or a new one, for the data`);
    }
    const freeBytes = await freeBytesOf(path);
    if (freeBytes < MIN_FREE_BYTES) throw diskFull(path, freeBytes);
    await access(path, constants.W_OK);
    await chmod(path, 0o700).catch((cause) => {
      throw new LaunchError(`${path} belongs to somebody else: it cannot be made private`, { cause });
    });
    const lock = await acquireLock(path, (error) => onLost(error.message));
    await mkdir(logs, { recursive: true, mode: 0o700 });
    const isFull = async () => (await freeBytesOf(path)) < FULL_BYTES;
    return { path, logs, isFull, release: () => lock.release() };
  } catch (error) {
    throw asLaunchError(error, path);
  }
}

async function freeBytesOf(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

export const diskFull = (path: string, freeBytes: number, cause?: unknown) =>
  new LaunchError(`the disk of ${path} is full: ${Math.floor(freeBytes / 2 ** 20)} MB are free`, { cause });

/** A refusal by the file system, said in one line. Anything else is passed on. */
function asLaunchError(error: unknown, path: string): unknown {
  if (error instanceof LockedError) return new LaunchError(error.message, { cause: error });
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  // On a read-only file system Node's recursive mkdir ends with ENOENT.
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOENT") {
    return new LaunchError(`the data directory ${path} cannot be written (${code})`, { cause: error });
  }
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(path, 0, error);
  if (code === "ENOTDIR" || code === "EEXIST") return new LaunchError(`${path} is not a directory`, { cause: error });
  return error;
}
