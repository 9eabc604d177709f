import * as z from "zod";
import type { ApiConfig } from "../../shared/config.ts";
import { MAX_JOB_ITEMS } from "../../shared/jobs.ts";
import { idempotencyKey } from "../idempotency.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { deviceParams } from "../schemas/device.ts";
import { groupId } from "../schemas/group-id.ts";
import { delayMsOf, delaySeconds, pendingJob, pendingJobExample, toPendingJob } from "../schemas/job.ts";
import { groupMediaItem, mediaCaption, mediaItem, mediaType } from "../schemas/media.ts";
import { acceptJob } from "../send-bulk.ts";
import { checkItems, storeItems } from "../store-media-items.ts";
import type { MediaItem } from "../store-media-items.ts";
import { MEDIA_ERRORS, mediaBodies, toGroupItems } from "./media.ts";

const DEVICE = "/api/whatsapp-multi-device/devices/:deviceId";
const HOW =
  "Each item has a file as in `send-media`; in a form, where `items` is JSON, it names its file by `fileField` or `fileIndex`. A request has at most 100 different files, and a file that cannot be taken refuses all of it before anything is sent. Each is uploaded to WhatsApp once, however many items it is in. The rest is as with `jobs/send-text`.";
const EXAMPLE = { mediaType: "image" as const, url: "https://example.com/katalog.jpg" };

const common = {
  method: "post",
  scope: "messages:write",
  headers: z.object({ "idempotency-key": idempotencyKey.optional() }),
  answers: { 202: answer({ id: "Pekerjaan diterima", en: "The job was accepted" }, pendingJob, pendingJobExample) },
} as const;
const errors = ["device_not_found", "idempotency_mismatch", "too_many_requests", ...MEDIA_ERRORS] as const;

export const mediaJobRoutes = (config: ApiConfig): Route[] => [
  route({
    ...common,
    ...mediaBodies(config),
    name: "sendMediaJob",
    path: `${DEVICE}/jobs/send-media`,
    tag: "Jobs",
    summary: "Send many files, one after the other",
    description: HOW,
    params: deviceParams,
    body: z.object({ items: z.array(mediaItem(config.phoneRegions)).min(1).max(MAX_JOB_ITEMS), delay: delaySeconds }),
    bodyExample: { items: [{ to: "081234567890", ...EXAMPLE }], delay: 3 },
    errors,
    handle: async ({ params, headers, body }, call) =>
      await accept(call, await ownDevice(call, params.deviceId), body, headers["idempotency-key"]),
  }),
  route({
    ...common,
    ...mediaBodies(config),
    name: "sendGroupMediaJob",
    path: `${DEVICE}/groups/:groupId/jobs/send-media`,
    tag: "Jobs",
    summary: "Send many files to a group, one after the other",
    description: `${HOW} \`mediaType\` and \`caption\` are of the items that have none of their own.`,
    params: deviceParams.extend({ groupId }),
    body: z.object({
      items: z.array(groupMediaItem).min(1).max(MAX_JOB_ITEMS),
      mediaType: mediaType.optional(),
      caption: mediaCaption.optional(),
      delay: delaySeconds,
    }),
    bodyExample: { items: [EXAMPLE], delay: 3 },
    errors,
    async handle({ params, headers, body }, call) {
      const device = await ownDevice(call, params.deviceId);
      const items = toGroupItems(params.groupId, body.items, body, call.language);
      return await accept(call, device, { items, delay: body.delay }, headers["idempotency-key"]);
    },
  }),
];

type Asked = { items: readonly MediaItem[]; delay?: number | undefined };

async function accept(
  call: Call,
  device: Awaited<ReturnType<typeof ownDevice>>,
  { items, delay }: Asked,
  key: string | undefined,
) {
  checkItems(call, items);
  const work = { type: "send-media" as const, delayMs: delayMsOf(delay), items: () => storeItems(call, items) };
  const { job, headers } = await acceptJob(call, device, work, key);
  return { status: 202 as const, data: toPendingJob(job), headers };
}
