import * as z from "zod";
import type { SendingPayload } from "../shared/commands.ts";
import type { DeviceId } from "../shared/ids.ts";
import { answer } from "./route.ts";
import type { Call } from "./route.ts";
import { runCommand } from "./run-command.ts";
import type { CommandHeaders } from "./schemas/command-headers.ts";

const sentMessage = z.object({
  deviceId: z.string(),
  messageId: z.string().meta({ description: "The id of the message on WhatsApp." }),
  timestamp: z.iso.datetime().meta({ description: "When WhatsApp's server acknowledged it." }),
  to: z.string().meta({ description: "The recipient's JID." }),
});

/** @param to the recipient in the example */
export const sentAnswer = (to = "6281234567890@s.whatsapp.net") =>
  answer({ id: "Pesan berhasil dikirim", en: "The message was sent" }, sentMessage, {
    deviceId: "device-001",
    messageId: "3EB0A1B2C3D4E5F6071829",
    timestamp: "2026-11-22T04:30:00.123Z",
    to,
  });

export const SEND_ERRORS = [
  "device_not_found",
  "not_connected",
  "idempotency_mismatch",
  "refused_by_whatsapp",
  "too_many_requests",
] as const;

/** Sends a message, once for each Idempotency-Key: 200 when WhatsApp's server has it, 202 when that takes too long. */
export const sendMessage = (call: Call, deviceId: DeviceId, payload: SendingPayload, headers: CommandHeaders) =>
  sendMade(call, deviceId, { to: payload.to, payload, headers });

/** As `sendMessage`; the message is made, from its file say, only when it has to be. */
export const sendMade = (
  call: Call,
  deviceId: DeviceId,
  asked: { to: string; payload: SendingPayload | (() => Promise<SendingPayload>); headers: CommandHeaders },
) =>
  runCommand(call, deviceId, asked, ({ messageId, finishedAt }) =>
    messageId === null || finishedAt === null
      ? undefined
      : { deviceId, messageId, timestamp: finishedAt.toISOString(), to: asked.to },
  );
