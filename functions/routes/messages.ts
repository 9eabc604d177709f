import * as z from "zod";
import { isFinished } from "../../shared/commands.ts";
import { dispatch, findReplay } from "../../shared/dispatch.ts";
import { ApiError } from "../../shared/errors.ts";
import { commandFailure } from "../command-failure.ts";
import { finishedCommand } from "../finished-command.ts";
import { idempotency, IDEMPOTENCY_REPLAYED, idempotencyKey } from "../idempotency.ts";
import { maySend } from "../may-send.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { pendingAnswer, toPendingCommand } from "../schemas/command.ts";
import { deviceParams } from "../schemas/device.ts";
import { messageText } from "../schemas/message-text.ts";
import { PREFERENCE_APPLIED, prefersAsync } from "../schemas/prefer.ts";
import { recipient } from "../schemas/recipient.ts";

const sentMessage = z.object({
  deviceId: z.string(),
  messageId: z.string().meta({ description: "The id of the message on WhatsApp." }),
  timestamp: z.iso.datetime().meta({ description: "When WhatsApp's server acknowledged it." }),
  to: z.string().meta({ description: "The recipient's JID." }),
});

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const messageRoutes = (regions: readonly string[] | undefined): Route[] => [
  route({
    name: "sendMessage",
    method: "post",
    path: "/api/whatsapp-multi-device/devices/:deviceId/send-message",
    tag: "Messages",
    scope: "messages:write",
    summary: "Send a text message",
    description:
      "200 when WhatsApp's server has acknowledged the message; 202 when that takes longer than `SYNC_WAIT_MS`, or was not to be waited for. An accepted message is sent once, even if a socket host crashes in between. A device that is not connected is refused with 409, except while its socket is just being opened again.",
    params: deviceParams,
    headers: z.object({ "idempotency-key": idempotencyKey.optional(), prefer: prefersAsync }),
    body: z.object({
      to: recipient(regions),
      message: messageText,
      messages: z.never().optional().meta({ description: "Several messages in one request are not supported yet." }),
    }),
    bodyExample: { to: "081234567890", message: "Halo" },
    answers: {
      200: answer({ id: "Pesan berhasil dikirim", en: "The message was sent" }, sentMessage, {
        deviceId: "device-001",
        messageId: "3EB0A1B2C3D4E5F6071829",
        timestamp: "2026-11-22T04:30:00.123Z",
        to: "6281234567890@s.whatsapp.net",
      }),
      202: pendingAnswer,
    },
    errors: [
      "invalid_phone",
      "device_not_found",
      "not_connected",
      "idempotency_mismatch",
      "not_on_whatsapp",
      "refused_by_whatsapp",
      "too_many_requests",
    ],
    async handle({ params, headers, body }, call) {
      const { services, isAbandoned } = call;
      const device = await ownDevice(call, params.deviceId);
      const once = idempotency(headers["idempotency-key"], call);
      // What was accepted before stays accepted, also if the device has been disconnected since.
      const replay = once && (await findReplay(services, device, once));
      if (!replay && !maySend(device)) throw new ApiError("not_connected");
      const payload = { kind: "send-text" as const, to: body.to, text: body.message };
      const dispatched = replay ?? (await dispatch(services, device, payload, once));
      if (dispatched.outcome === "mismatch") throw new ApiError("idempotency_mismatch");
      if (dispatched.outcome === "full") throw new ApiError("too_many_requests");

      const replayed = dispatched.isReplay ? IDEMPOTENCY_REPLAYED : {};
      if (headers.prefer) {
        const data = toPendingCommand(dispatched.command);
        return { status: 202, data, headers: { ...replayed, ...PREFERENCE_APPLIED } };
      }
      const command = await finishedCommand(
        services.database,
        dispatched.command,
        services.config.syncWaitMs,
        isAbandoned,
      );
      if (command.state === "failed") return { failure: commandFailure(command), headers: replayed };
      const { deviceId, messageId, finishedAt } = command;
      if (!isFinished(command.state) || messageId === null || finishedAt === null) {
        return { status: 202, data: toPendingCommand(command), headers: replayed };
      }
      const data = { deviceId, messageId, timestamp: finishedAt.toISOString(), to: body.to };
      return { status: 200, data, headers: replayed };
    },
  }),
];
