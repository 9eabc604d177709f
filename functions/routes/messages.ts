import * as z from "zod";
import { ApiError } from "../../shared/errors.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { pendingAnswer, pendingCommand } from "../schemas/command.ts";
import { commandHeaders } from "../schemas/command-headers.ts";
import { deviceParams } from "../schemas/device.ts";
import { bulkResult, delayMsOf, delaySeconds, MAX_BULK_BYTES, MAX_BULK_ITEMS, pendingJob } from "../schemas/job.ts";
import { messageText } from "../schemas/message-text.ts";
import { oneOrMany } from "../schemas/one-or-many.ts";
import { recipient, recipientOfMany } from "../schemas/recipient.ts";
import { refuseKeyOfJob, sendBulk } from "../send-bulk.ts";
import { SEND_ERRORS, sendMessage, sentAnswer } from "../send-message.ts";

const SENT = sentAnswer();

const oneOrManyTexts = (regions: readonly string[] | undefined) =>
  oneOrMany(
    z.object({
      to: recipient(regions).optional(),
      message: messageText.optional(),
      messages: z
        .array(z.object({ to: recipientOfMany(regions), message: messageText }))
        .min(1)
        .max(MAX_BULK_ITEMS)
        .optional()
        .meta({ description: "Several messages, in place of `to` and `message`." }),
      delay: delaySeconds,
    }),
    ["to", "message"],
    "messages",
  );

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const messageRoutes = (regions: readonly string[] | undefined): Route[] => [
  route({
    name: "sendMessage",
    method: "post",
    path: "/api/whatsapp-multi-device/devices/:deviceId/send-message",
    tag: "Messages",
    scope: "messages:write",
    summary: "Send a text message, or several",
    description:
      "200 when WhatsApp's server has acknowledged the message; 202 when that takes longer than `SYNC_WAIT_MS`, or was not to be waited for. An accepted message is sent once, even if a socket host crashes in between. A device that is not connected is refused with 409, except while its socket is just being opened again. Several messages (`messages`) are sent as a job, one after the other: 200 with what became of each if that ends within `SYNC_WAIT_MS`, otherwise 202 with the `jobId`.",
    params: deviceParams,
    headers: commandHeaders,
    maxBodyBytes: MAX_BULK_BYTES,
    body: oneOrManyTexts(regions),
    bodyExample: { to: "081234567890", message: "Halo" },
    answers: {
      200: answer(SENT.message, z.union([SENT.data, bulkResult]), SENT.example),
      202: answer(pendingAnswer.message, z.union([pendingCommand, pendingJob]), pendingAnswer.example),
    },
    errors: [...SEND_ERRORS, "invalid_phone", "not_on_whatsapp", "group_not_found", "group_forbidden"],
    async handle({ params, headers, body }, call) {
      const { to, message: text, messages, delay } = body;
      const device = await ownDevice(call, params.deviceId);
      if (messages) {
        const items = messages.map((one) => ({ kind: "send-text" as const, to: one.to, text: one.message }));
        return await sendBulk(call, device, { type: "send-text", delayMs: delayMsOf(delay), items }, headers);
      }
      if (to === undefined || text === undefined) throw new ApiError("validation_failed");
      await refuseKeyOfJob(call, device, headers);
      return await sendMessage(call, params.deviceId, { kind: "send-text", to, text }, headers);
    },
  }),
];
