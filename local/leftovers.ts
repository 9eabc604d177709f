import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { processBirth } from "./process-birth.ts";
import type { NamedProcess } from "./supervisor.ts";
import { writePrivateFile } from "./write-private-file.ts";

const listSchema = z.array(z.object({ name: z.string(), pid: z.number().int(), birth: z.string().optional() }));
type Leftover = z.infer<typeof listSchema>[number];

/** The guard in every child ends it after 5 s; a database with much to write takes longer. */
const DEADLINE_MS = 40_000;
const POLL_INTERVAL_MS = 50;
const REPORT_AFTER_MS = 2_000;
const pathOf = (dataDir: string) => join(dataDir, "processes.json");

/** Writes down which children run, for the start after a launcher that was killed. */
export async function rememberProcesses(dataDir: string, processes: readonly NamedProcess[]): Promise<void> {
  const list = await Promise.all(
    processes.map(async (process) => ({ ...process, birth: await processBirth(process.pid) })),
  );
  await writePrivateFile(pathOf(dataDir), `${JSON.stringify(list)}\n`);
}

/**
 * Children shut down by themselves when their launcher was killed. Waits until those of the last one are gone, since
 * they still use the data and the ids of their leases; one that hangs is killed after 40 s. Throws the signal's
 * reason when it fires.
 */
export async function endLeftovers(
  dataDir: string,
  report: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const startedAt = Date.now();
  let isReported = false;
  for (let left = await read(dataDir); ;) {
    signal?.throwIfAborted();
    const runs = await Promise.all(left.map(isRunning));
    left = left.filter((_, index) => runs[index]);
    const waitedMs = Date.now() - startedAt;
    if (left.length === 0) return;
    if (waitedMs > DEADLINE_MS) {
      // Without a birth the pid may belong to somebody else by now.
      for (const { pid } of left.filter(({ birth }) => birth !== undefined)) process.kill(pid, "SIGKILL");
      return;
    }
    if (!isReported && waitedMs > REPORT_AFTER_MS) {
      report(`waiting for the last run to end: ${left.map(({ name, pid }) => `${name} (${pid})`).join(", ")}`);
      isReported = true;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

async function isRunning({ pid, birth }: Leftover): Promise<boolean> {
  if (birth !== undefined) return (await processBirth(pid)) === birth;
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function read(dataDir: string) {
  try {
    return listSchema.parse(JSON.parse(await readFile(pathOf(dataDir), "utf8")));
  } catch {
    // Missing, or damaged by a crash: there is nobody to wait for.
    return [];
  }
}
