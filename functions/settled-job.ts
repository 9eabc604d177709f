import * as jobs from "../shared/db/jobs.ts";
import type { Job } from "../shared/db/jobs.ts";
import type { Database } from "../shared/db/pool.ts";
import { isJobEnded } from "../shared/jobs.ts";
import { wait } from "./wait.ts";

/** The job once it has ended or is paused, or as it is when the time is up or nobody waits any more. */
export async function settledJob(
  database: Database,
  job: Job,
  timeoutMs: number,
  isAbandoned: () => boolean,
): Promise<Job> {
  let latest = job;
  const look = async () => {
    latest = (await jobs.get(database, job.jobId)) ?? latest;
    return isJobEnded(latest.state) || latest.state === "paused" ? latest : undefined;
  };
  return (await wait(look, timeoutMs, isAbandoned)) ?? latest;
}
