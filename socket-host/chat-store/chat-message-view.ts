import type { ChatMessageView } from "../../shared/chats.ts";
import type { MessageContent } from "../../shared/message.ts";
import type { StoredMessage } from "./stored-message.ts";

/** A stored message as clients read it. `self` is the account's own address. */
export function chatMessageView(
  { id, chat, fromMe, sender, name, at, status, content, editedAt, reactions }: StoredMessage,
  self: string,
): ChatMessageView {
  return {
    id,
    from: fromMe ? self : chat,
    fromMe,
    ...(sender && { participant: sender }),
    senderName: name ?? null,
    messageType: content?.messageType ?? "deleted",
    content: content && readable(content),
    details: content,
    timestamp: at,
    status,
    ...(editedAt !== undefined && { editedAt }),
    ...(reactions && { reactions: Object.entries(reactions).map(([from, emoji]) => ({ emoji, from })) }),
  };
}

function readable(content: MessageContent): string | null {
  if ("text" in content) return content.text;
  if ("caption" in content && content.caption !== undefined) return content.caption;
  if (content.messageType === "poll") return content.question;
  if (content.messageType === "interactive") return content.reply.text;
  if (content.messageType === "contacts") return content.contacts.map(({ name }) => name).join(", ");
  return "name" in content ? (content.name ?? null) : null;
}
