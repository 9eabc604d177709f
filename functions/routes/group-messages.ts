import * as z from "zod";
import { MAX_TEXT_LENGTH } from "../../shared/commands.ts";
import { ApiError } from "../../shared/errors.ts";
import { MAX_GROUP_MEMBERS } from "../../shared/groups.ts";
import { fillMentions } from "../fill-mentions.ts";
import type { Language } from "../language.ts";
import { route } from "../route.ts";
import type { Route } from "../route.ts";
import { pendingAnswer } from "../schemas/command.ts";
import { commandHeaders } from "../schemas/command-headers.ts";
import { deviceParams } from "../schemas/device.ts";
import { groupId } from "../schemas/group-id.ts";
import { messageText } from "../schemas/message-text.ts";
import { person } from "../schemas/person.ts";
import { SEND_ERRORS, sendMessage, sentAnswer } from "../send-message.ts";

const DEVICE = "/api/whatsapp-multi-device/devices/:deviceId";
const common = { method: "post", tag: "Groups", scope: "messages:write", headers: commandHeaders } as const;
const answers = { 200: sentAnswer("120363012345678901@g.us"), 202: pendingAnswer };
const errors = [...SEND_ERRORS, "group_not_found", "group_forbidden"] as const;
const ONCE = "Answered and sent once as `send-message` is.";

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const groupMessageRoutes = (regions: readonly string[] | undefined): Route[] => [
  route({
    ...common,
    name: "sendGroupMessage",
    path: `${DEVICE}/send-group-message`,
    summary: "Send a text message to a group",
    description: ONCE,
    params: deviceParams,
    body: z.object({
      groupId,
      message: messageText,
      items: z.never().optional().meta({ description: "Several messages in one request are not supported yet." }),
    }),
    bodyExample: { groupId: "120363012345678901@g.us", message: "Halo semua" },
    answers,
    errors,
    handle: ({ params, headers, body }, call) =>
      sendMessage(call, params.deviceId, { kind: "send-text", to: body.groupId, text: body.message }, headers),
  }),
  route({
    ...common,
    name: "sendGroupMention",
    path: `${DEVICE}/groups/:groupId/mention-message`,
    summary: "Send a text message that mentions people of a group",
    description: `In \`message\`, \`{m1}\` or \`{mention1}\` is the first of \`mentions\`, \`{mention[0]}\` as well, and \`{mentions}\` is all of them. Who is mentioned in none of these is notified all the same. ${ONCE}`,
    params: deviceParams.extend({ groupId }),
    body: z.object({ message: messageText, mentions: z.array(person(regions)).min(1).max(MAX_GROUP_MEMBERS) }),
    bodyExample: { message: "Halo {m1}", mentions: ["081234567890"] },
    answers,
    errors: [...errors, "invalid_phone"],
    handle: async ({ params, headers, body }, call) => {
      const text = filled(body.message, body.mentions, call.language);
      const mentions = [...new Set(body.mentions)];
      const payload = { kind: "send-text" as const, to: params.groupId, text, mentions };
      return await sendMessage(call, params.deviceId, payload, headers);
    },
  }),
];

/** The text with the people in it. Throws `validation_failed` when it cannot be sent so. */
function filled(message: string, mentions: readonly string[], language: Language): string {
  const result = fillMentions(message, mentions);
  if (result.outcome === "unknown") {
    const placeholders = result.placeholders.join(", ");
    throw wrong({ id: `tidak ada mention untuk ${placeholders}`, en: `has no mention for ${placeholders}` }[language]);
  }
  if (result.text.length <= MAX_TEXT_LENGTH) return result.text;
  throw wrong(
    {
      id: `lebih dari ${MAX_TEXT_LENGTH} karakter dengan mention di dalamnya`,
      en: `has more than ${MAX_TEXT_LENGTH} characters with the mentions in it`,
    }[language],
  );
}

const wrong = (sentence: string) => new ApiError("validation_failed", [{ path: "body.message", message: sentence }]);
