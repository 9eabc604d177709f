import type { MessageContent } from "../../shared/message.ts";
import type { StoredMessage } from "./stored-message.ts";

/** More are shown by no phone. */
const MAX_REACTIONS = 100;

/** By whom and when a change was made; `at` in milliseconds since 1970. */
type Made = { by: string; at: number };

/** The message after an edit, a deletion or a reaction; undefined when that changes nothing. */
export function changedMessage(message: StoredMessage, change: MessageContent, made: Made): StoredMessage | undefined {
  if (message.content === null) return undefined;
  if (change.messageType === "edit") {
    // Edits may come in any order: the newest counts.
    if (made.at < (message.editedAt ?? 0)) return undefined;
    const { raw: _, ...rest } = message;
    return { ...rest, content: withText(message.content, change), editedAt: made.at };
  }
  if (change.messageType === "delete") {
    const { raw: _, reactions: __, ...rest } = message;
    return { ...rest, content: null };
  }
  if (change.messageType === "reaction") {
    const { [made.by]: _, ...others } = message.reactions ?? {};
    const reactions = change.emoji === null ? others : { ...others, [made.by]: change.emoji };
    return Object.keys(reactions).length > MAX_REACTIONS ? undefined : { ...message, reactions };
  }
  return undefined;
}

/** A message with the text of an edit of it. */
export function withText(
  content: MessageContent,
  { text, mentions }: Extract<MessageContent, { messageType: "edit" }>,
): MessageContent {
  const mentioned = mentions && { mentions };
  if (content.messageType === "text") return { ...content, text, ...mentioned };
  const { messageType } = content;
  const hasCaption = messageType === "image" || messageType === "video" || messageType === "gif";
  return hasCaption || messageType === "document" ? { ...content, caption: text, ...mentioned } : content;
}
