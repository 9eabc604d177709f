import * as z from "zod";
import { route } from "../route.ts";
import type { Route } from "../route.ts";
import { pendingAnswer } from "../schemas/command.ts";
import { commandHeaders } from "../schemas/command-headers.ts";
import { deviceParams } from "../schemas/device.ts";
import { messageText } from "../schemas/message-text.ts";
import { recipient } from "../schemas/recipient.ts";
import { SEND_ERRORS, sendMessage, sentAnswer } from "../send-message.ts";

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
    headers: commandHeaders,
    body: z.object({
      to: recipient(regions),
      message: messageText,
      messages: z.never().optional().meta({ description: "Several messages in one request are not supported yet." }),
    }),
    bodyExample: { to: "081234567890", message: "Halo" },
    answers: {
      200: sentAnswer(),
      202: pendingAnswer,
    },
    errors: [...SEND_ERRORS, "invalid_phone", "not_on_whatsapp", "group_not_found", "group_forbidden"],
    handle: ({ params, headers, body }, call) =>
      sendMessage(call, params.deviceId, { kind: "send-text", to: body.to, text: body.message }, headers),
  }),
];
