import * as z from "zod";
import type { Job } from "../../shared/db/jobs.ts";
import type { JobItem } from "../../shared/db/job-items.ts";
import { JOB_STATES, JOB_TYPES } from "../../shared/jobs.ts";

/** Room for a body of many items: a Lambda takes 6 MB, with everything around it. */
export const MAX_BULK_BYTES = 5 * 1024 * 1024;
/** Of messages in one request that are answered together. */
export const MAX_BULK_ITEMS = 1_000;
const MAX_DELAY_SECONDS = 3_600;

export const delaySeconds = z
  .number()
  .min(0)
  .max(MAX_DELAY_SECONDS)
  .optional()
  .meta({ description: "Seconds between two items. Not given: 2 to 5 at random. 0: none.", examples: [3] });

export const delayMsOf = (seconds: number | undefined) => (seconds === undefined ? null : Math.round(seconds * 1_000));

const isoTime = z.iso.datetime();
const jobStatus = z.enum(JOB_STATES).meta({
  description:
    "queued → processing → completed, or failed when not one item succeeded, or cancelled. `paused` can be resumed.",
});
const delaySec = z.number().nullable().meta({ description: "Null: 2 to 5 at random." });
const delaySecOf = ({ delayMs }: Pick<Job, "delayMs">) => (delayMs === null ? null : delayMs / 1_000);

/** The `data` of a 202 for many items. */
export const pendingJob = z
  .object({
    jobId: z.string().meta({ description: "`GET /api/whatsapp-multi-device/jobs/{jobId}` tells the rest." }),
    status: jobStatus,
    delaySec,
    total: z.int(),
  })
  .meta({ id: "PendingJob" });

export const toPendingJob = (job: Job): z.input<typeof pendingJob> => ({
  jobId: job.jobId,
  status: job.state,
  delaySec: delaySecOf(job),
  total: job.total,
});

export const pendingJobExample: z.input<typeof pendingJob> = {
  jobId: "job_019aa1b2c3d4e5f60718293a4b",
  status: "queued",
  delaySec: 3,
  total: 200,
};

const itemResult = z
  .object({
    to: z.string().meta({ description: "The recipient's JID, or what was given in its place." }),
    status: z.enum(["success", "error"]),
    messageId: z.string().optional(),
    error: z
      .string()
      .optional()
      .meta({ description: "A code of the table of errors, or what WhatsApp said.", examples: ["not_on_whatsapp"] }),
    timestamp: isoTime,
  })
  .meta({ id: "ItemResult" });

/** Of an item that has an outcome. */
export function toItemResult(item: JobItem): z.input<typeof itemResult> {
  const { recipient, messageId, errorCode, finishedAt } = item;
  const timestamp = (finishedAt ?? new Date(0)).toISOString();
  if (item.state === "failed") return { to: recipient, status: "error", error: errorCode ?? "internal", timestamp };
  return { to: recipient, status: "success", messageId, timestamp };
}

/** What is answered for many messages at once. */
export const bulkResult = z
  .object({ total: z.int(), successCount: z.int(), errorCount: z.int(), results: z.array(itemResult) })
  .meta({ id: "BulkResult" });

const summary = {
  id: z.string(),
  type: z.enum(JOB_TYPES),
  deviceId: z.string(),
  status: jobStatus,
  reason: z
    .string()
    .nullable()
    .meta({ description: "Of a paused job: `requested`, or a code of the table of errors." }),
  reasonDetail: z.string().nullable(),
  createdAt: isoTime,
  startedAt: isoTime.nullable(),
  finishedAt: isoTime.nullable(),
  progress: z.object({
    total: z.int(),
    currentIndex: z.int().meta({ description: "How many items have an outcome." }),
    successCount: z.int(),
    errorCount: z.int(),
  }),
  options: z.object({ delaySec }),
};
export const jobSummary = z.object(summary).meta({ id: "JobSummary" });
export const jobView = z.object({ ...summary, results: z.array(itemResult) }).meta({ id: "Job" });

export const toJobSummary = (job: Job): z.input<typeof jobSummary> => ({
  id: job.jobId,
  type: job.type,
  deviceId: job.deviceId,
  status: job.state,
  reason: job.reason,
  reasonDetail: job.reasonDetail,
  createdAt: job.createdAt.toISOString(),
  startedAt: job.startedAt?.toISOString() ?? null,
  finishedAt: job.finishedAt?.toISOString() ?? null,
  progress: {
    total: job.total,
    currentIndex: job.succeeded + job.failed,
    successCount: job.succeeded,
    errorCount: job.failed,
  },
  options: { delaySec: delaySecOf(job) },
});

export const jobExample: z.input<typeof jobSummary> = {
  id: "job_019aa1b2c3d4e5f60718293a4b",
  type: "send-text",
  deviceId: "device-001",
  status: "processing",
  reason: null,
  reasonDetail: null,
  createdAt: "2026-11-22T04:30:00.000Z",
  startedAt: "2026-11-22T04:30:00.100Z",
  finishedAt: null,
  progress: { total: 200, currentIndex: 1, successCount: 1, errorCount: 0 },
  options: { delaySec: 3 },
};
export const itemResultExample: z.input<typeof itemResult> = {
  to: "6281234567890@s.whatsapp.net",
  status: "success",
  messageId: "3EB0A1B2C3D4E5F6071829",
  timestamp: "2026-11-22T04:30:00.400Z",
};
