import * as z from "zod";
import type { ApiConfig } from "../../shared/config.ts";
import * as mediaRows from "../../shared/db/media.ts";
import { ApiError } from "../../shared/errors.ts";
import { newMediaId } from "../../shared/ids.ts";
import type { DeviceId } from "../../shared/ids.ts";
import { MAX_MEDIA_BYTES, uploadObject } from "../../shared/media.ts";
import { idempotency, idempotencyKey, IDEMPOTENCY_REPLAYED } from "../idempotency.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { pendingAnswer } from "../schemas/command.ts";
import { commandHeaders } from "../schemas/command-headers.ts";
import type { CommandHeaders } from "../schemas/command-headers.ts";
import { deviceParams } from "../schemas/device.ts";
import { groupId } from "../schemas/group-id.ts";
import { fileName, mediaFields, mediaMessage, mimetype } from "../schemas/media.ts";
import type { MediaFields } from "../schemas/media.ts";
import { SEND_ERRORS, sendMade, sentAnswer } from "../send-message.ts";
import { checkSource, storeMedia } from "../store-media.ts";

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
    id: "lebih dari yang dapat dibawa satu permintaan: unggah berkas dengan POST …/media-uploads dan kirim mediaId-nya",
    en: "more than one request can carry: upload the file with POST …/media-uploads and send its mediaId",
  },
});

const common = { method: "post", scope: "messages:write", headers: commandHeaders } as const;

export const mediaRoutes = (config: ApiConfig): Route[] => [
  route({
    ...common,
    ...mediaBodies(config),
    name: "sendMedia",
    path: `${DEVICE}/send-media`,
    tag: "Messages",
    summary: "Send a file",
    description: HOW,
    params: deviceParams,
    body: mediaMessage(config.phoneRegions),
    bodyExample: {
      to: "081234567890",
      mediaType: "image",
      url: "https://example.com/katalog.jpg",
      caption: "Katalog kami",
    },
    answers: { 200: sentAnswer(), 202: pendingAnswer },
    errors: [...SEND_ERRORS, ...MEDIA_ERRORS, "invalid_phone", "not_on_whatsapp", "group_not_found", "group_forbidden"],
    handle: ({ params, headers, body }, call) => sendFile(call, params.deviceId, body.to, body, headers),
  }),
  route({
    ...common,
    ...mediaBodies(config),
    name: "sendGroupMedia",
    path: `${DEVICE}/groups/:groupId/send-media`,
    tag: "Groups",
    summary: "Send a file to a group",
    description: HOW,
    params: deviceParams.extend({ groupId }),
    body: z.object(mediaFields),
    bodyExample: { mediaType: "image", url: "https://example.com/katalog.jpg" },
    answers: { 200: sentAnswer("120363012345678901@g.us"), 202: pendingAnswer },
    errors: [...SEND_ERRORS, ...MEDIA_ERRORS, "group_not_found", "group_forbidden"],
    handle: ({ params, headers, body }, call) => sendFile(call, params.deviceId, params.groupId, body, headers),
  }),
  createUpload(config),
];

/** The file of the form is kept only if it is to be sent. */
async function sendFile(call: Call, deviceId: DeviceId, to: string, fields: MediaFields, headers: CommandHeaders) {
  const file = call.files.find(({ field }) => field === "file");
  const source = { call, fields, file, path: "body" };
  checkSource(source);
  return await sendMade(call, deviceId, { to, payload: () => storeMedia(to, source), headers });
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
          headers: { "Content-Type": "application/pdf", "Content-Length": "9000000" },
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
      const media =
        isNew || !once
          ? await mediaRows.get(database, mediaId)
          : await mediaRows.getByIdempotencyKey(database, userId, once.key);
      if (!media) throw new Error(`the row of ${mediaId} has vanished`);
      if (once && media.fingerprint?.equals(once.fingerprint) !== true) throw new ApiError("idempotency_mismatch");
      const file = { mimetype: body.mimetype, sizeBytes: body.size };
      const data = {
        mediaId: media.mediaId,
        uploadUrl: await files.uploadUrl(uploadObject(media.mediaId), file, UPLOAD_SECONDS),
        headers: { "Content-Type": file.mimetype, "Content-Length": String(file.sizeBytes) },
        expiresAt: media.expiresAt.toISOString(),
      };
      return { status: 201, data, headers: isNew ? {} : IDEMPOTENCY_REPLAYED };
    },
  });
