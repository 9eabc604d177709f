import * as z from "zod";
import { findJobReplay } from "../../shared/dispatch-job.ts";
import { ApiError } from "../../shared/errors.ts";
import { idempotency } from "../idempotency.ts";
import type { BrokenRule } from "../issue.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { pendingAnswer, pendingCommand } from "../schemas/command.ts";
import { commandHeaders } from "../schemas/command-headers.ts";
import { deviceParams } from "../schemas/device.ts";
import { bulkResult, delayMsOf, delaySeconds, MAX_BULK_BYTES, pendingJob } from "../schemas/job.ts";
import { messageText } from "../schemas/message-text.ts";
import { recipient } from "../schemas/recipient.ts";
import { sendBulk } from "../send-bulk.ts";
import { SEND_ERRORS, sendMessage, sentAnswer } from "../send-message.ts";

const SENT = sentAnswer();

const REQUIRED: BrokenRule = { sentence: { id: "wajib diisi", en: "is required" } };
const NOT_BOTH: BrokenRule = {
  sentence: { id: "tidak dapat digabung dengan to atau message", en: "cannot be combined with to or message" },
};
const MAX_MESSAGES = 1_000;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** A rule about which fields there are, which is looked at also when another one is broken. */
const fieldRule = (path: string, params: BrokenRule) => ({
  path: [path],
  params,
  when: ({ value }: { value: unknown }) => isObject(value),
});

const oneOrMany = (regions: readonly string[] | undefined) =>
  z
    .object({
      to: recipient(regions).optional(),
      message: messageText.optional(),
      messages: z
        .array(z.object({ to: recipient(regions), message: messageText }))
        .min(1)
        .max(MAX_MESSAGES)
        .optional()
        .meta({ description: "Several messages, in place of `to` and `message`." }),
      delay: delaySeconds,
    })
    .refine((body) => "messages" in body || "to" in body, fieldRule("to", REQUIRED))
    .refine((body) => "messages" in body || "message" in body, fieldRule("message", REQUIRED))
    .refine((body) => !("messages" in body) || !("to" in body || "message" in body), fieldRule("messages", NOT_BOTH))
    .meta({ anyOf: [{ required: ["to", "message"] }, { required: ["messages"] }] });

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
    body: oneOrMany(regions),
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
      const once = idempotency(headers["idempotency-key"], call);
      if (once && (await findJobReplay(call.services.database, device.userId, once)))
        throw new ApiError("idempotency_mismatch");
      return await sendMessage(call, params.deviceId, { kind: "send-text", to, text }, headers);
    },
  }),
];
