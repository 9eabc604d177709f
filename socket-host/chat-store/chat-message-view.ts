import type { ChatMessageView } from "../../shared/chats.ts";
import { messageText } from "../../shared/message-text.ts";
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
    content: content && messageText(content),
    details: content,
    timestamp: at,
    status,
    ...(editedAt !== undefined && { editedAt }),
    ...(reactions && { reactions: Object.entries(reactions).map(([from, emoji]) => ({ emoji, from })) }),
  };
}
