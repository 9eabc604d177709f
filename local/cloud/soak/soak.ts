import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "../test-cloud.ts";
import type { CloudClients } from "../test-cloud.ts";
import { startCloudProcess } from "../test-process.ts";
import { checkBlobs } from "./check-blobs.ts";
import { startObjectPart } from "./object-part.ts";
import { startQueuePart } from "./queue-part.ts";
import { startSchedulePart } from "./schedule-part.ts";
import type { SoakPart } from "./soak-part.ts";
import { startUploadPart } from "./upload-part.ts";

type Options = {
  rounds: number;
  /** A round ends at a random moment between these. */
  roundMs: { from: number; to: number };
  onRound?: (round: number, counts: Record<string, number>) => void;
};

/**
 * Kills the cloud (SIGKILL) once a round, in the middle of the work of writers, readers and deleters on every service,
 * starts it again on the same directory and looks at what is there. Throws at the first thing that is not as it was
 * acknowledged. Gives how much was acknowledged in all.
 */
export async function soak({ rounds, roundMs, onRound }: Options): Promise<Record<string, number>> {
  const dataDir = await mkdtemp(join(tmpdir(), "cloud-soak-"));
  let cloud = await startCloudProcess(dataDir);
  const endpoint = cloud.endpoint ?? "";
  const clients = connect(endpoint);
  try {
    const parts = await startParts(clients);
    const counts = () => Object.assign({}, ...parts.map((part) => part.counts())) as Record<string, number>;
    const idle = () => Object.values(counts()).some((count) => count === 0);
    // On a busy machine a part may have got nothing done yet: that would prove nothing.
    for (let round = 1; round <= rounds || (idle() && round <= 3 * rounds); round += 1) {
      const alive = { current: true };
      const work = parts.flatMap(({ workers }) => workers).map((worker) => workUntilKilled(alive, worker));
      await Promise.race([sleep(randomInt(roundMs.from, roundMs.to)), Promise.all(work)]);
      alive.current = false;
      await cloud.stop("SIGKILL");
      await Promise.all(work);
      cloud = await startCloudProcess(dataDir, Number(new URL(endpoint).port));
      if (cloud.endpoint !== endpoint) throw new Error(`the cloud did not start again: ${cloud.errors()}`);
      await checkBlobs(clients, dataDir);
      for (const part of parts) await part.check();
      onRound?.(round, counts());
    }
    for (const part of parts) await part.finish();
    return counts();
  } finally {
    clients.close();
    await cloud.stop("SIGKILL");
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function startParts(clients: CloudClients): Promise<SoakPart[]> {
  return [
    await startQueuePart(clients),
    await startObjectPart(clients),
    await startUploadPart(clients),
    await startSchedulePart(clients),
  ];
}

async function workUntilKilled(alive: { current: boolean }, worker: () => Promise<void>): Promise<void> {
  while (alive.current) {
    try {
      await worker();
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      await sleep(20);
    }
  }
}

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /ECONN|socket hang up|EPIPE|aborted/.test(`${error.message} ${(error as NodeJS.ErrnoException).code}`);
}
