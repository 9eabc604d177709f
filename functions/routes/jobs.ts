import * as z from "zod";
import * as devices from "../../shared/db/devices.ts";
import * as jobItems from "../../shared/db/job-items.ts";
import * as jobs from "../../shared/db/jobs.ts";
import type { Job } from "../../shared/db/jobs.ts";
import { wakeJobs } from "../../shared/dispatch-job.ts";
import { ApiError } from "../../shared/errors.ts";
import type { JobId } from "../../shared/ids.ts";
import { isJobEnded, JOB_STATES, MAX_JOB_ITEMS } from "../../shared/jobs.ts";
import { idempotencyKey } from "../idempotency.ts";
import { ownDevice, ownRow } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { deviceId, deviceParams } from "../schemas/device.ts";
import {
  delayMsOf,
  delaySeconds,
  itemResultExample,
  jobExample,
  jobSummary,
  jobView,
  MAX_BULK_BYTES,
  pendingJob,
  pendingJobExample,
  toItemResult,
  toJobSummary,
  toPendingJob,
} from "../schemas/job.ts";
import { messageText } from "../schemas/message-text.ts";
import { pageQuery, pagination, toPagination } from "../schemas/page.ts";
import { recipientOfMany } from "../schemas/recipient.ts";
import { acceptJob } from "../send-bulk.ts";

const BASE = "/api/whatsapp-multi-device";
const MAX_RESULTS = 1_000;
const USUAL_RESULTS = 100;

const jobParams = z.object({
  jobId: z
    .string()
    .regex(/^\w{1,40}$/)
    .transform((value) => value as JobId),
});

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const jobRoutes = (regions: readonly string[] | undefined): Route[] => [
  sendTextJob(regions),
  getJob,
  listJobs,
  changeJob("cancelJob", "cancel", {
    summary: "End a job",
    description:
      "No item is begun after the answer; one that is on its way still arrives, and is counted. What was not sent is erased. A job that has been cancelled stays so; 409 for one that has ended otherwise.",
    done: { id: "Pekerjaan dibatalkan", en: "The job was cancelled" },
    isDone: (job) => job.state === "cancelled",
    change: ({ services }, job) => jobs.cancel(services.database, job),
  }),
  changeJob("pauseJob", "pause", {
    summary: "Hold a job",
    description: "No item is begun after the answer, until it is resumed. The device's next job goes on meanwhile.",
    done: { id: "Pekerjaan dijeda", en: "The job was paused" },
    isDone: (job) => job.state === "paused",
    change: ({ services }, job) => jobs.pause(services.database, job.jobId),
  }),
  changeJob("resumeJob", "resume", {
    summary: "Go on with a job",
    description: "With its next item, also after a pause that it had to make by itself.",
    done: { id: "Pekerjaan dilanjutkan", en: "The job goes on" },
    isDone: (job) => !isJobEnded(job.state) && job.state !== "paused",
    change: ({ services }, job) => jobs.resume(services.database, job.jobId),
  }),
];

const sendTextJob = (regions: readonly string[] | undefined) =>
  route({
    name: "sendTextJob",
    method: "post",
    path: `${BASE}/devices/:deviceId/jobs/send-text`,
    tag: "Jobs",
    scope: "messages:write",
    summary: "Send many text messages, one after the other",
    description:
      "The device's jobs run one after the other, those of different devices side by side. A crash repeats no message. A job waits five minutes for a device that is offline, and is then paused (`not_connected`); at once for one that is not meant to be connected. It is also paused when WhatsApp restricts the account.",
    maxBodyBytes: MAX_BULK_BYTES,
    params: deviceParams,
    headers: z.object({ "idempotency-key": idempotencyKey.optional() }),
    body: z.object({
      messages: z
        .array(z.object({ to: recipientOfMany(regions), message: messageText }))
        .min(1)
        .max(MAX_JOB_ITEMS),
      delay: delaySeconds,
    }),
    bodyExample: { messages: [{ to: "081234567890", message: "Halo" }], delay: 3 },
    answers: {
      202: answer({ id: "Pekerjaan diterima", en: "The job was accepted" }, pendingJob, pendingJobExample),
    },
    errors: ["device_not_found", "idempotency_mismatch", "too_many_requests"],
    async handle({ params, headers, body }, call) {
      const device = await ownDevice(call, params.deviceId);
      const items = body.messages.map(({ to, message }) => ({ kind: "send-text" as const, to, text: message }));
      const work = { type: "send-text" as const, delayMs: delayMsOf(body.delay), items };
      const accepted = await acceptJob(call, device, work, headers["idempotency-key"]);
      return { status: 202, data: toPendingJob(accepted.job), headers: accepted.headers };
    },
  });

const getJob = route({
  name: "getJob",
  method: "get",
  path: `${BASE}/jobs/:jobId`,
  tag: "Jobs",
  scope: "messages:write",
  polled: true,
  summary: "How far a job has come",
  description: "`results` are the items that have an outcome, in their order, by pages of `pageSize`.",
  params: jobParams,
  query: z.object({
    ...pageQuery,
    pageSize: z.coerce.number().int().min(1).max(MAX_RESULTS).default(USUAL_RESULTS),
  }),
  answers: {
    200: answer(
      { id: "Status pekerjaan", en: "The job" },
      jobView.extend({ pagination }).meta({ id: "JobWithResults" }),
      {
        ...jobExample,
        results: [itemResultExample],
        pagination: { page: 1, pageSize: USUAL_RESULTS, total: 1, totalPages: 1 },
      },
    ),
  },
  errors: ["job_not_found"],
  async handle({ params, query }, call) {
    const { database } = call.services;
    const job = await ownRow(call, await jobs.get(database, params.jobId), "job_not_found");
    const { page, pageSize } = query;
    const items = await jobItems.listResults(database, job.jobId, { limit: pageSize, offset: (page - 1) * pageSize });
    const data = {
      ...toJobSummary(job),
      results: items.map(toItemResult),
      pagination: toPagination(page, pageSize, job.succeeded + job.failed),
    };
    return { status: 200, data };
  },
});

const listJobs = route({
  name: "listJobs",
  method: "get",
  path: `${BASE}/jobs`,
  tag: "Jobs",
  scope: "messages:write",
  polled: true,
  summary: "The jobs of your devices",
  description: "Newest first, without those of devices that were removed.",
  query: z.object({ ...pageQuery, deviceId: deviceId.optional(), status: z.enum(JOB_STATES).optional() }),
  answers: {
    200: answer({ id: "Daftar pekerjaan", en: "The jobs" }, z.object({ jobs: z.array(jobSummary), pagination }), {
      jobs: [jobExample],
      pagination: { page: 1, pageSize: 10, total: 1, totalPages: 1 },
    }),
  },
  errors: ["device_not_found"],
  async handle({ query }, call) {
    const { page, pageSize } = query;
    if (query.deviceId !== undefined) await ownDevice(call, query.deviceId);
    const filter = { deviceId: query.deviceId, state: query.status };
    const limits = { limit: pageSize, offset: (page - 1) * pageSize };
    const found = await jobs.list(call.services.database, call.caller, filter, limits);
    const data = { jobs: found.jobs.map(toJobSummary), pagination: toPagination(page, pageSize, found.total) };
    return { status: 200, data };
  },
});

type Change = {
  summary: string;
  description: string;
  done: { id: string; en: string };
  /** Whether the job is as it was asked to be. */
  isDone: (job: Job) => boolean;
  change: (call: Call, job: Job) => Promise<boolean>;
};

/** A change that may be asked for again: a job that is as asked is answered as such. */
function changeJob(name: string, verb: string, { summary, description, done, isDone, change }: Change): Route {
  return route({
    name,
    method: "post",
    path: `${BASE}/jobs/:jobId/${verb}`,
    tag: "Jobs",
    scope: "messages:write",
    summary,
    description,
    params: jobParams,
    answers: { 200: answer(done, jobSummary, jobExample) },
    errors: ["job_not_found", "job_has_ended"],
    async handle({ params }, call) {
      const { database } = call.services;
      const job = await ownRow(call, await jobs.get(database, params.jobId), "job_not_found");
      await change(call, job);
      const latest = (await jobs.get(database, job.jobId)) ?? job;
      if (!isDone(latest)) throw new ApiError("job_has_ended");
      const owned = await devices.getOwned(database, job.deviceId);
      if (owned) await wakeJobs(call.services, owned);
      return { status: 200, data: toJobSummary(latest) };
    },
  });
}
