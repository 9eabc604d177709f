import * as z from "zod";
import { MAX_TEXT_LENGTH } from "../../shared/commands.ts";
import { ApiError } from "../../shared/errors.ts";
import { MAX_GROUP_MEMBERS } from "../../shared/groups.ts";
import { fillMentions } from "../fill-mentions.ts";
import type { Language } from "../language.ts";
import { ownDevice } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Route } from "../route.ts";
import { pendingAnswer, pendingCommand } from "../schemas/command.ts";
import { commandHeaders } from "../schemas/command-headers.ts";
import { deviceParams } from "../schemas/device.ts";
import { groupId } from "../schemas/group-id.ts";
import { bulkResult, delayMsOf, delaySeconds, MAX_BULK_BYTES, MAX_BULK_ITEMS, pendingJob } from "../schemas/job.ts";
import { messageText } from "../schemas/message-text.ts";
import { oneOrMany } from "../schemas/one-or-many.ts";
import { person } from "../schemas/person.ts";
import { refuseKeyOfJob, sendBulk } from "../send-bulk.ts";
import { SEND_ERRORS, sendMessage, sentAnswer } from "../send-message.ts";

const DEVICE = "/api/whatsapp-multi-device/devices/:deviceId";
const common = { method: "post", tag: "Groups", scope: "messages:write", headers: commandHeaders } as const;
const SENT = sentAnswer("120363012345678901@g.us");
const answers = { 200: SENT, 202: pendingAnswer };
const errors = [...SEND_ERRORS, "group_not_found", "group_forbidden"] as const;
const ONCE = "Answered and sent once as `send-message` is.";

const oneOrManyTexts = oneOrMany(
  z.object({
    groupId: groupId.optional(),
    message: messageText.optional(),
    items: z
      .array(z.object({ groupId, message: messageText }))
      .min(1)
      .max(MAX_BULK_ITEMS)
      .optional()
      .meta({ description: "Several messages, in place of `groupId` and `message`." }),
    delay: delaySeconds,
  }),
  ["groupId", "message"],
  "items",
);

/** @param regions whose phone numbers are taken, see `ApiConfig.phoneRegions` */
export const groupMessageRoutes = (regions: readonly string[] | undefined): Route[] => [
  route({
    ...common,
    name: "sendGroupMessage",
    path: `${DEVICE}/send-group-message`,
    summary: "Send a text message to a group",
    description: `${ONCE} Several (\`items\`) are sent as a job, also as \`send-message\` does it.`,
    maxBodyBytes: MAX_BULK_BYTES,
    params: deviceParams,
    body: oneOrManyTexts,
    bodyExample: { groupId: "120363012345678901@g.us", message: "Halo semua" },
    answers: {
      200: answer(SENT.message, z.union([SENT.data, bulkResult]), SENT.example),
      202: answer(pendingAnswer.message, z.union([pendingCommand, pendingJob]), pendingAnswer.example),
    },
    errors,
    async handle({ params, headers, body }, call) {
      const { groupId: to, message: text, items: many, delay } = body;
      const device = await ownDevice(call, params.deviceId);
      if (many) {
        const items = many.map((one) => ({ kind: "send-text" as const, to: one.groupId, text: one.message }));
        return await sendBulk(call, device, { type: "send-text", delayMs: delayMsOf(delay), items }, headers);
      }
      if (to === undefined || text === undefined) throw new ApiError("validation_failed");
      await refuseKeyOfJob(call, device, headers);
      return await sendMessage(call, params.deviceId, { kind: "send-text", to, text }, headers);
    },
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
