import * as z from "zod";
import * as receivedMedia from "../../shared/db/received-media.ts";
import { ApiError } from "../../shared/errors.ts";
import { receivedObject } from "../../shared/media.ts";
import { objectLink } from "../object-link.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { deviceParams } from "../schemas/device.ts";

const LINK_SECONDS = 900;
const MAX_MESSAGE_ID_LENGTH = 128;

const pendingView = z.object({ messageId: z.string(), status: z.literal("pending") });
const readyView = z
  .object({
    messageId: z.string(),
    status: z.literal("ready"),
    url: z.string().meta({ description: "Gives the file to whoever has it." }),
    urlExpiresAt: z.iso.datetime(),
    mimetype: z.string().meta({ description: "As the sender says." }),
    sizeBytes: z.int(),
  })
  .meta({ id: "ReceivedMedia" });
const readyExample: z.input<typeof readyView> = {
  messageId: "3EB0A1B2C3D4E5F6071829",
  status: "ready",
  url: "https://media.s3.amazonaws.com/received/…?X-Amz-Signature=…",
  urlExpiresAt: "2026-11-22T04:45:00.000Z",
  mimetype: "image/jpeg",
  sizeBytes: 120_345,
};
const READY = { id: "Berkas siap diunduh", en: "The file can be downloaded" };

export const receivedMediaRoutes: Route[] = [
  route({
    name: "getReceivedMedia",
    method: "get",
    path: "/api/whatsapp-multi-device/devices/:deviceId/media/:messageId",
    tag: "Messages",
    scope: "messages:read",
    summary: "The file of a message that came in",
    description:
      "The socket host fetches it when the message comes, and it is kept for 29 days. 200 with a link that is good for 15 minutes, or with `redirect=true` 302 to it; 202 while it is being fetched: ask again. 410 when it cannot be had; `details` says why: `gone` (WhatsApp has it no more, nor has the phone), `too_large` (more than 100 MB), `damaged` (it is not what its sender has encrypted), `unreadable` (the message does not say where it is), `unreachable` (WhatsApp's media server did not answer, several times).",
    params: deviceParams.extend({
      messageId: z
        .string()
        .min(1)
        .max(MAX_MESSAGE_ID_LENGTH)
        .meta({ examples: ["3EB0A1B2C3D4E5F6071829"] }),
    }),
    query: z.object({ redirect: z.enum(["true", "false"]).optional() }),
    answers: {
      200: answer(READY, readyView, readyExample),
      202: answer({ id: "Berkas sedang diambil", en: "The file is being fetched" }, pendingView, {
        messageId: "3EB0A1B2C3D4E5F6071829",
        status: "pending",
      }),
      302: answer(READY, readyView, readyExample),
    },
    errors: ["device_not_found", "media_not_found", "media_unavailable"],
    async handle({ params, query }, call) {
      const { database, files } = call.services;
      const { messageId } = params;
      const device = await ownDevice(call, params.deviceId);
      const media = await receivedMedia.get(database, device, messageId);
      if (!media) throw new ApiError("media_not_found");
      if (media.state === "failed")
        throw new ApiError("media_unavailable", [{ path: "params.messageId", message: media.reason ?? "" }]);
      const { mimetype, sizeBytes } = media;
      if (media.state === "pending" || mimetype === null || sizeBytes === null)
        return { status: 202 as const, data: { messageId, status: "pending" as const } };
      const urlExpiresAt = new Date(Date.now() + LINK_SECONDS * 1_000).toISOString();
      const signed = await files.downloadUrl(receivedObject(device, messageId), LINK_SECONDS);
      const url = objectLink(signed, call);
      const data = { messageId, status: "ready" as const, url, urlExpiresAt, mimetype, sizeBytes };
      return query.redirect === "true"
        ? { status: 302 as const, data, headers: { Location: url } }
        : { status: 200 as const, data };
    },
  }),
];
