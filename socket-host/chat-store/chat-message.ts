import { GROUP_SERVER, parseJid } from "../../shared/jid.ts";
import type { MessageContent } from "../../shared/message.ts";
import { slimMessage } from "../whatsapp/slim-message.ts";
import type { Identity, StoredMessage, StoredStatus } from "./stored-message.ts";

/** A message on its way into the chat store: received, sent, or out of a history. */
export type ChatMessage = {
  messageId: string;
  /** Addresses are without device, the phone number's where it is known. */
  chat: { jid: string };
  fromMe: boolean;
  sender: { jid: string; name: string | null };
  sentAt: Date;
  content: MessageContent;
  /** As WhatsApp encodes it. */
  bytes: () => Buffer;
  /** Of an own message; `sent` if it is not said. */
  status?: StoredStatus;
  reactions?: Record<string, string>;
};

/** With files and secrets whose keys are needed again. Own messages are kept as well: a recipient may ask once more. */
const KEEPS_BYTES = new Set<MessageContent["messageType"]>([
  "image",
  "video",
  "gif",
  "audio",
  "voice",
  "document",
  "sticker",
  "poll",
  "event",
]);
/** Without thumbnails few are larger; those that are cannot be repeated once they have left the outbox. */
const MAX_RAW_BYTES = 8 << 10;

/** What is said about another message, or about the chat, is none of its own in a history. */
const NO_MESSAGES = new Set<MessageContent["messageType"]>([
  "edit",
  "delete",
  "reaction",
  "poll_vote",
  "pin",
  "disappearing_setting",
]);
export const isMessage = ({ messageType }: MessageContent) => !NO_MESSAGES.has(messageType);

export function identityOfMessage({ messageId, chat, fromMe, sender }: ChatMessage): Identity {
  const isGroup = parseJid(chat.jid)?.server === GROUP_SERVER;
  return { id: messageId, chat: chat.jid, fromMe, sender: isGroup && !fromMe ? sender.jid : "" };
}

/** @param n see `StoredMessage` */
export function toStored(message: ChatMessage, n: number): StoredMessage {
  const { fromMe, sender, sentAt, content, status, reactions } = message;
  const raw = fromMe || KEEPS_BYTES.has(content.messageType) ? slimMessage(message.bytes()) : undefined;
  return {
    ...identityOfMessage(message),
    ...(!fromMe && sender.name !== null && { name: sender.name }),
    at: sentAt.getTime(),
    n,
    status: fromMe ? (status ?? "sent") : "received",
    content,
    ...(reactions && { reactions }),
    ...(raw && raw.length <= MAX_RAW_BYTES && { raw: raw.toString("base64") }),
  };
}
