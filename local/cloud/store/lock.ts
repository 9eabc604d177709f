import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { processBirth } from "../../process-birth.ts";

/** Somebody else uses the directory, or took it over. The message is one line for the person at the terminal. */
export class LockedError extends Error {}

export type Lock = { release(): Promise<void> };

/** Who holds a directory. `born` tells a process from a later one with the same pid; empty where /proc is missing. */
type Holder = { pid: number; host: string; born: string; token: string };

const REFRESH_MS = 5_000;
/** A holder on another machine (or container) cannot be probed: it is taken for dead when it stops refreshing. */
const FOREIGN_STALE_MS = 20_000;

/**
 * Takes the directory for this process: a file `lock` that names the holder. The lock of a dead process is taken over.
 * Throws `LockedError` when a live process has it. Calls `onLost` (once) if the lock is removed or replaced later on.
 */
export async function acquireLock(directory: string, onLost: (error: LockedError) => void): Promise<Lock> {
  const path = join(directory, "lock");
  const holder: Holder = {
    pid: process.pid,
    host: hostname(),
    born: (await processBirth(process.pid)) ?? "",
    token: randomUUID(),
  };
  const own = JSON.stringify(holder);
  await removeDeadHolder(directory, path);
  await create(path, own);

  const check = async () => {
    if (await refresh(path, own)) return;
    clearInterval(timer);
    onLost(new LockedError(`the lock ${path} was taken by another process`));
  };
  const timer = setInterval(() => void check(), REFRESH_MS);
  timer.unref();

  return {
    async release() {
      clearInterval(timer);
      if ((await readIfThere(path)) === own) await rm(path, { force: true });
    },
  };
}

/** Creates the lock with its content in one step, so that nobody ever reads half of it. */
async function create(path: string, content: string): Promise<void> {
  const draft = `${path}.${randomUUID()}.tmp`;
  await writeFile(draft, content, { mode: 0o600, flush: true });
  try {
    await link(draft, path);
  } catch (error) {
    if (isSystemError(error, "EEXIST")) throw refusal(path, await readIfThere(path));
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function removeDeadHolder(directory: string, path: string): Promise<void> {
  const content = await readIfThere(path);
  if (content === undefined) return;
  if (await isAlive(path, content)) throw refusal(path, content);
  // Moving it aside is atomic: of several processes that found the same dead holder, one gets its file. If a live lock
  // was moved instead (somebody was faster), it goes back.
  const aside = join(directory, `lock.${randomUUID()}.tmp`);
  try {
    await rename(path, aside);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return;
    throw error;
  }
  const moved = await readIfThere(aside);
  if (moved !== content) await link(aside, path);
  await rm(aside, { force: true });
  if (moved !== content) throw refusal(path, moved);
}

async function isAlive(path: string, content: string): Promise<boolean> {
  const holder = parse(content);
  if (!holder) return false;
  if (holder.host !== hostname()) return Date.now() - (await stat(path)).mtimeMs < FOREIGN_STALE_MS;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    if (!isSystemError(error, "EPERM")) return false;
  }
  return ((await processBirth(holder.pid)) ?? "") === holder.born;
}

async function refresh(path: string, own: string): Promise<boolean> {
  try {
    if ((await readFile(path, "utf8")) !== own) return false;
    const now = new Date();
    await utimes(path, now, now);
    return true;
  } catch (error) {
    return !isSystemError(error, "ENOENT");
  }
}

function refusal(path: string, content: string | undefined): LockedError {
  const holder = content === undefined ? undefined : parse(content);
  const who = holder ? `process ${holder.pid} on ${holder.host}` : "another process";
  return new LockedError(`the data directory is in use by ${who} (lock: ${path})`);
}

function parse(content: string): Holder | undefined {
  try {
    const value = JSON.parse(content) as Partial<Holder>;
    const complete = typeof value.pid === "number" && typeof value.host === "string" && typeof value.born === "string";
    return complete ? (value as Holder) : undefined;
  } catch {
    return undefined;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
