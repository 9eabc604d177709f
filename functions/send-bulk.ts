import * as jobItems from "../shared/db/job-items.ts";
import type { Device } from "../shared/db/devices.ts";
import type { Job } from "../shared/db/jobs.ts";
import { dispatchJob, findJobReplay } from "../shared/dispatch-job.ts";
import type { NewWork } from "../shared/dispatch-job.ts";
import { ApiError } from "../shared/errors.ts";
import { idempotency, IDEMPOTENCY_REPLAYED } from "./idempotency.ts";
import type { Sentence } from "./language.ts";
import { maySend } from "./may-send.ts";
import type { Call } from "./route.ts";
import { toItemResult, toPendingJob } from "./schemas/job.ts";
import { PREFERENCE_APPLIED } from "./schemas/prefer.ts";
import { settledJob } from "./settled-job.ts";

/** Some of them may have failed. */
const DONE: Sentence = { id: "Pengiriman massal selesai", en: "Every message was dealt with" };

type Headers = { "idempotency-key"?: string | undefined; prefer?: boolean | undefined };

/** Makes a job, or finds the one that was made under the same key. Throws `idempotency_mismatch`, `too_many_requests`. */
export async function acceptJob(
  call: Call,
  device: Device,
  work: NewWork,
  key: string | undefined,
): Promise<{ job: Job; headers: Record<string, string> }> {
  const dispatched = await dispatchJob(call.services, device, work, idempotency(key, call));
  if (dispatched.outcome === "mismatch") throw new ApiError("idempotency_mismatch");
  if (dispatched.outcome === "full") throw new ApiError("too_many_requests");
  return { job: dispatched.job, headers: dispatched.isReplay ? IDEMPOTENCY_REPLAYED : {} };
}

/** Throws `idempotency_mismatch` when a single message comes under the key of several. */
export async function refuseKeyOfJob({ services, ...call }: Call, { userId }: Device, headers: Headers): Promise<void> {
  const once = idempotency(headers["idempotency-key"], call);
  if (once && (await findJobReplay(services.database, userId, once))) throw new ApiError("idempotency_mismatch");
}

/**
 * Sends many as a job and waits for it: what became of each when it ends in time; otherwise, or when it has to be paused,
 * where to ask. Throws as `acceptJob`, and `not_connected`.
 */
export async function sendBulk(call: Call, device: Device, work: NewWork, headers: Headers) {
  const { database, config } = call.services;
  const startedAt = performance.now();
  const once = idempotency(headers["idempotency-key"], call);
  // What was accepted before stays accepted, also if the device has been disconnected since.
  const replay = once && (await findJobReplay(database, device.userId, once));
  if (!replay && !maySend(device)) throw new ApiError("not_connected");
  const accepted = await acceptJob(call, device, work, headers["idempotency-key"]);
  if (headers.prefer) {
    const applied = { ...accepted.headers, ...PREFERENCE_APPLIED };
    return { status: 202 as const, data: toPendingJob(accepted.job), headers: applied };
  }
  // Files take their time, and the request has one in all.
  const waitMs = Math.max(0, config.syncWaitMs - (performance.now() - startedAt));
  const job = await settledJob(database, accepted.job, waitMs, call.isAbandoned);
  if (job.state !== "completed" && job.state !== "failed") {
    return { status: 202 as const, data: toPendingJob(job), headers: accepted.headers };
  }
  const results = await jobItems.listResults(database, job.jobId, { limit: job.total, offset: 0 });
  const data = {
    total: job.total,
    successCount: job.succeeded,
    errorCount: job.failed,
    results: results.map(toItemResult),
  };
  return { status: 200 as const, data, message: DONE, headers: accepted.headers };
}
