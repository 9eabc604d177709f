import type { NewEvent } from "../../../shared/events.ts";
import type { IncomingMessage } from "./incoming-message.ts";

/** What is told of a message. Edits, deletions and reactions are events of the message that they are about. */
export function messageEvent(message: IncomingMessage): NewEvent {
  const { messageId, key, otherKeys, chat, fromMe, sender, content } = message;
  const common = { dedupeKey: key, otherKeys, occurredAt: message.sentAt };
  const place = { chat: chat.jid, chatPhone: chat.phone, chatLid: chat.lid, fromMe, sender };
  const sentAt = message.sentAt.toISOString();
  if (content.messageType === "edit") {
    const { target, text, mentions } = content;
    const data = { messageId: target.messageId, ...place, text, ...(mentions && { mentions }), sentAt };
    return { ...common, type: "message.edited", data };
  }
  if (content.messageType === "delete") {
    const { messageId: deleted, sender: author } = content.target;
    return { ...common, type: "message.deleted", data: { messageId: deleted, ...place, author, sentAt } };
  }
  if (content.messageType === "reaction") {
    const { messageId: about, sender: author } = content.target;
    const data = { messageId: about, ...place, author, emoji: content.emoji, sentAt };
    return { ...common, type: "message.reaction", data };
  }
  return { ...common, type: "message.received", data: { messageId, ...place, ...content, sentAt } };
}
