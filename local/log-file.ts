import { copyFile, open, readdir, rm, stat, truncate } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";

/** Above this a log is put aside as `.1`, in the place of the one before. */
const MAX_BYTES = 20 * 2 ** 20;
const INTERVAL_MS = 60_000;

/** Opens a child's log for appending, owner only. The caller closes it once the child has it. */
export const openLogFile = (path: string): Promise<FileHandle> => open(path, "a", 0o600);

/** Looks after the logs of a directory, now and then, so that they never fill the disk. @returns what ends it */
export function keepLogsSmall(directory: string): () => void {
  const timer = setInterval(() => void rotateLogs(directory).catch(() => undefined), INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Copies and empties logs that have grown large. Their writers keep the file and append to it, at its new end; a line
 * that is written between the two steps is lost.
 */
export async function rotateLogs(directory: string): Promise<void> {
  for (const name of (await readdir(directory)).filter((file) => file.endsWith(".log"))) {
    const path = join(directory, name);
    if ((await stat(path)).size <= MAX_BYTES) continue;
    // Without room for the copy the disk matters more than the log.
    await copyFile(path, `${path}.1`).catch(() => rm(`${path}.1`, { force: true }));
    await truncate(path);
  }
}
