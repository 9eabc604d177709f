import * as z from "zod";
import type { ApiConfig } from "../../shared/config.ts";
import * as mediaRows from "../../shared/db/media.ts";
import { ApiError } from "../../shared/errors.ts";
import type { ErrorDetail } from "../../shared/errors.ts";
import { newMediaId } from "../../shared/ids.ts";
import type { DeviceId } from "../../shared/ids.ts";
import { MAX_MEDIA_BYTES, uploadObject } from "../../shared/media.ts";
import { findReplay, idempotency, idempotencyKey, IDEMPOTENCY_REPLAYED } from "../idempotency.ts";
import type { Language, Sentence } from "../language.ts";
import { mediaPayload } from "../media-payload.ts";
import { objectLink } from "../object-link.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { pendingAnswer, pendingCommand } from "../schemas/command.ts";
import { commandHeaders } from "../schemas/command-headers.ts";
import type { CommandHeaders } from "../schemas/command-headers.ts";
import { deviceParams } from "../schemas/device.ts";
import { groupId } from "../schemas/group-id.ts";
import { bulkResult, delayMsOf, delaySeconds, MAX_BULK_ITEMS, pendingJob } from "../schemas/job.ts";
import { fileName, groupMediaItem, mediaFields, mediaItem, mediaType, mimetype } from "../schemas/media.ts";
import type { MediaFields } from "../schemas/media.ts";
import { oneOrMany } from "../schemas/one-or-many.ts";
import { recipient } from "../schemas/recipient.ts";
import { refuseKeyOfJob, sendBulk } from "../send-bulk.ts";
import { SEND_ERRORS, sendMade, sentAnswer } from "../send-message.ts";
import { checkItems, storeItems } from "../store-media-items.ts";
import type { MediaItem } from "../store-media-items.ts";
import { sourceFault, storeFile } from "../store-media.ts";

const DEVICE = "/api/whatsapp-multi-device/devices/:deviceId";
/** A file of 6 MB in base64, with what is around it. */
const MAX_JSON_BYTES = 9_000_000;
const UPLOAD_SECONDS = 900;

/** The codes of what is wrong with the file of a message. */
export const MEDIA_ERRORS = [
  "media_type_not_allowed",
  "media_type_mismatch",
  "url_not_allowed",
  "url_fetch_failed",
  "media_not_found",
  "media_not_uploaded",
  "media_upload_failed",
] as const;

const HOW =
  "The file is one of: `file` of a form, `base64`, `url` (fetched by this server from the public internet), or `mediaId` of an upload. At most 16 MB; what it is, is told by its content. Answered and sent once as `send-message` is.";

/** How a route takes bodies with files. */
export const mediaBodies = ({ mediaRequestMaxBytes }: Pick<ApiConfig, "mediaRequestMaxBytes">) => ({
  maxBodyBytes: Math.min(MAX_JSON_BYTES, mediaRequestMaxBytes),
  form: {
    maxBytes: mediaRequestMaxBytes,
    maxFileBytes: MAX_MEDIA_BYTES,
    jsonFields: ["items", "delay"],
    fileFields: ["file"],
  },
  tooLarge: {
    id: "lebih dari yang dapat dibawa satu permintaan: unggah berkas, paling besar 16 MB, dengan POST …/media-uploads dan kirim mediaId-nya",
    en: "more than one request can carry: upload the file, of at most 16 MB, with POST …/media-uploads and send its mediaId",
  },
});

const SEVERAL =
  "Several (`items`) are sent as a job, as `send-message` does it; in a form, where `items` is JSON, an item names its file by `fileField` or `fileIndex`. They have at most 100 different files, and a file that cannot be taken refuses all of them before anything is sent.";
const REQUIRED: Sentence = { id: "wajib diisi", en: "is required" };

const oneOrManyFiles = (regions: readonly string[] | undefined) =>
  oneOrMany(
    z.object({
      to: recipient(regions).optional(),
      ...mediaFields,
      mediaType: mediaType.optional(),
      items: z.array(mediaItem(regions)).min(1).max(MAX_BULK_ITEMS).optional(),
      delay: delaySeconds,
    }),
    ["to", "mediaType"],
    "items",
    ["to", "mediaType", "base64", "url", "mediaId", "caption", "fileName"],
  );
const oneOrManyToGroup = oneOrMany(
  z.object({
    ...mediaFields,
    mediaType: mediaType.optional(),
    items: z.array(groupMediaItem).min(1).max(MAX_BULK_ITEMS).optional(),
    delay: delaySeconds,
  }),
  ["mediaType"],
  "items",
  ["base64", "url", "mediaId", "fileName"],
);
const oneOrManyAnswers = (sent: ReturnType<typeof sentAnswer>) => ({
  200: answer(sent.message, z.union([sent.data, bulkResult]), sent.example),
  202: answer(pendingAnswer.message, z.union([pendingCommand, pendingJob]), pendingAnswer.example),
});

const common = { method: "post", scope: "messages:write", headers: commandHeaders } as const;

export const mediaRoutes = (config: ApiConfig): Route[] => [
  route({
    ...common,
    ...mediaBodies(config),
    name: "sendMedia",
    path: `${DEVICE}/send-media`,
    tag: "Messages",
    summary: "Send a file, or several",
    description: `${HOW} ${SEVERAL}`,
    params: deviceParams,
    body: oneOrManyFiles(config.phoneRegions),
    bodyExample: {
      to: "081234567890",
      mediaType: "image",
      url: "https://example.com/katalog.jpg",
      caption: "Katalog kami",
    },
    answers: oneOrManyAnswers(sentAnswer()),
    errors: [...SEND_ERRORS, ...MEDIA_ERRORS, "invalid_phone", "not_on_whatsapp", "group_not_found", "group_forbidden"],
    async handle({ params, headers, body }, call) {
      const { items, delay, to, mediaType: kind, ...rest } = body;
      if (items) return await sendFiles(call, params.deviceId, { items, delay }, headers);
      if (to === undefined || kind === undefined) throw new ApiError("validation_failed");
      return await sendFile(call, params.deviceId, to, { ...rest, mediaType: kind }, headers);
    },
  }),
  route({
    ...common,
    ...mediaBodies(config),
    name: "sendGroupMedia",
    path: `${DEVICE}/groups/:groupId/send-media`,
    tag: "Groups",
    summary: "Send a file to a group, or several",
    description: `${HOW} ${SEVERAL} \`mediaType\` and \`caption\` are then of the items that have none of their own.`,
    params: deviceParams.extend({ groupId }),
    body: oneOrManyToGroup,
    bodyExample: { mediaType: "image", url: "https://example.com/katalog.jpg" },
    answers: oneOrManyAnswers(sentAnswer("120363012345678901@g.us")),
    errors: [...SEND_ERRORS, ...MEDIA_ERRORS, "group_not_found", "group_forbidden"],
    async handle({ params, headers, body }, call) {
      const { items, delay, mediaType: kind, ...rest } = body;
      if (items) {
        const filled = toGroupItems(params.groupId, items, body, call.language);
        return await sendFiles(call, params.deviceId, { items: filled, delay }, headers);
      }
      if (kind === undefined) throw new ApiError("validation_failed");
      return await sendFile(call, params.deviceId, params.groupId, { ...rest, mediaType: kind }, headers);
    },
  }),
  createUpload(config),
];

/** The file of the form is kept only if it is to be sent. */
async function sendFile(call: Call, deviceId: DeviceId, to: string, fields: MediaFields, headers: CommandHeaders) {
  const device = await ownDevice(call, deviceId);
  const file = call.files.find(({ field }) => field === "file");
  const source = { call, fields, file, path: "body" };
  const fault = sourceFault(source);
  if (fault) throw new ApiError("validation_failed", [fault]);
  await refuseKeyOfJob(call, device, headers);
  const payload = async () => mediaPayload(to, fields, await storeFile(source));
  return await sendMade(call, deviceId, { to, payload, headers });
}

type Asked = { items: readonly MediaItem[]; delay: number | undefined };

async function sendFiles(call: Call, deviceId: DeviceId, { items, delay }: Asked, headers: CommandHeaders) {
  const device = await ownDevice(call, deviceId);
  checkItems(call, items);
  const work = { type: "send-media" as const, delayMs: delayMsOf(delay), items: () => storeItems(call, items) };
  return await sendBulk(call, device, work, headers);
}

type GroupItem = z.output<typeof groupMediaItem>;
/** Items to a group, with what the body says for all of them. Throws `validation_failed` for those without a type. */
export function toGroupItems(
  to: string,
  items: readonly GroupItem[],
  usual: Pick<GroupItem, "mediaType" | "caption">,
  language: Language,
): MediaItem[] {
  const details: ErrorDetail[] = [];
  const filled = items.flatMap((item, at) => {
    const kind = item.mediaType ?? usual.mediaType;
    if (kind !== undefined) return [{ ...item, to, mediaType: kind, caption: item.caption ?? usual.caption }];
    details.push({ path: `body.items.${at}.mediaType`, message: REQUIRED[language] });
    return [];
  });
  if (details.length) throw new ApiError("validation_failed", details);
  return filled;
}

const createUpload = ({ mediaTypes }: ApiConfig) =>
  route({
    method: "post",
    name: "createMediaUpload",
    path: `${DEVICE}/media-uploads`,
    tag: "Messages",
    scope: "messages:write",
    summary: "Upload a file that is too large for a request",
    description:
      "Answers a URL that takes the file by `PUT`, with these `headers` and exactly `size` bytes, for 15 minutes. `send-media` then takes the `mediaId`, as often as wanted until `expiresAt`; what the file is, is looked at when it is sent for the first time.",
    params: deviceParams,
    headers: z.object({ "idempotency-key": idempotencyKey.optional() }),
    body: z.object({
      mimetype,
      size: z.int().min(1).meta({ description: "In bytes, at most 16 MB." }),
      fileName: fileName.optional(),
    }),
    bodyExample: { mimetype: "application/pdf", size: 9_000_000, fileName: "katalog.pdf" },
    answers: {
      201: answer(
        { id: "Unggahan disiapkan", en: "The upload can begin" },
        z.object({
          mediaId: z.string(),
          uploadUrl: z.string(),
          headers: z.record(z.string(), z.string()),
          expiresAt: z.iso.datetime(),
        }),
        {
          mediaId: "med_019aa1b2c3d4e5f60718293a4b",
          uploadUrl: "https://media.s3.amazonaws.com/uploads/med_019aa1b2c3d4e5f60718293a4b?X-Amz-Signature=…",
          headers: { "Content-Type": "application/pdf" },
          expiresAt: "2026-12-06T04:30:00.000Z",
        },
      ),
    },
    errors: ["device_not_found", "media_type_not_allowed", "payload_too_large", "idempotency_mismatch"],
    async handle({ params, headers, body }, call) {
      const { database, files } = call.services;
      const { deviceId } = await ownDevice(call, params.deviceId);
      const { userId } = call.caller;
      if (body.size > MAX_MEDIA_BYTES) throw new ApiError("payload_too_large");
      if (!mediaTypes.includes(body.mimetype))
        throw new ApiError("media_type_not_allowed", [{ path: "body.mimetype", message: body.mimetype }]);
      const once = idempotency(headers["idempotency-key"], call);
      const mediaId = newMediaId();
      const about = { mimetype: body.mimetype, sizeBytes: body.size, fileName: body.fileName ?? null };
      const row = { mediaId, userId, deviceId, ...about, ...(once && { idempotency: once }) };
      const isNew = await mediaRows.create(database, row);
      const media = isNew
        ? await mediaRows.get(database, mediaId)
        : await findReplay(once, (key) => mediaRows.getByIdempotencyKey(database, userId, key));
      if (!media) throw new Error(`the row of ${mediaId} has vanished`);
      const file = { mimetype: body.mimetype, sizeBytes: body.size };
      const data = {
        mediaId: media.mediaId,
        uploadUrl: objectLink(await files.uploadUrl(uploadObject(media.mediaId), file, UPLOAD_SECONDS), call),
        headers: { "Content-Type": file.mimetype },
        expiresAt: media.expiresAt.toISOString(),
      };
      return { status: 201, data, headers: isNew ? {} : IDEMPOTENCY_REPLAYED };
    },
  });
