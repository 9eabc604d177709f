import "../quiet.ts";
import { proto } from "@whiskeysockets/baileys";
import type { ChatMessage } from "../../chat-store/chat-message.ts";
import type { AddressBook } from "../address-book.ts";
import { messageContent } from "./message-content.ts";

/** An own message as it leaves; `at` in milliseconds since 1970. Undefined for what no person sees. */
export function sentMessage(
  { messageId, to, bytes, at }: { messageId: string; to: string; bytes: Buffer; at: number },
  book: AddressBook,
): ChatMessage | undefined {
  const content = messageContent(proto.Message.decode(bytes));
  if (!content) return undefined;
  const sender = { jid: book.self().jid, name: null };
  // Whole seconds, as of all others: an answer within the same second would otherwise stand before it.
  const sentAt = new Date(Math.floor(at / 1000) * 1000);
  return {
    messageId,
    chat: book.addressesOf(to),
    fromMe: true,
    sender,
    sentAt,
    content,
    bytes: () => bytes,
    status: "pending",
  };
}
