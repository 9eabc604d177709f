import type { MessageContent } from "./message.ts";

/** What a person reads of a message: its text, its caption, or what stands in place of one. Null where there is none. */
export function messageText(content: MessageContent): string | null {
  if ("text" in content) return content.text;
  if ("caption" in content && content.caption !== undefined) return content.caption;
  if (content.messageType === "poll") return content.question;
  if (content.messageType === "interactive") return content.reply.text;
  if (content.messageType === "contacts") return content.contacts.map(({ name }) => name).join(", ");
  return "name" in content ? (content.name ?? null) : null;
}
