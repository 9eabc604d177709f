import * as z from "zod";
import { MAX_URL_LENGTH } from "../../shared/allowed-url.ts";
import { MAX_FILE_NAME_LENGTH } from "../../shared/commands.ts";
import { MEDIA_KINDS } from "../../shared/media.ts";
import { messageText, wellFormedText } from "../schemas/message-text.ts";

const MAX_REPLIES = 10;

const text = z.object({ type: z.literal("text"), text: messageText });
const file = z.object({
  type: z.enum(MEDIA_KINDS),
  url: z.string().min(1).max(MAX_URL_LENGTH),
  caption: messageText.nullish().transform((caption) => caption ?? undefined),
  fileName: wellFormedText(MAX_FILE_NAME_LENGTH)
    .nullish()
    .transform((name) => name ?? undefined),
});
const reply = z.union([messageText.transform((text) => ({ type: "text" as const, text })), text, file]);
const answer = z.object({
  reply: z
    .union([z.literal("").transform(() => []), reply.transform((one) => [one]), z.array(reply).max(MAX_REPLIES)])
    .nullish(),
});

/** A message that a chatbot wants sent; `url` is where its file is fetched. */
export type Reply = z.output<typeof reply>;

/** What the body of a chatbot's answer says. Undefined when it is none that we know; an empty one is no reply. */
export function chatbotReplies(body: string): Reply[] | undefined {
  if (body.trim() === "") return [];
  try {
    const parsed = answer.safeParse(JSON.parse(body));
    return parsed.success ? (parsed.data.reply ?? []) : undefined;
  } catch {
    return undefined;
  }
}
