import "./quiet.ts";
import { areJidsSameUser, jidNormalizedUser } from "@whiskeysockets/baileys";
import type { BaileysEventMap, BinaryNode, WASocket } from "@whiskeysockets/baileys";
import { GROUP_SERVER, parseJid } from "../../shared/jid.ts";
import type { Contact } from "../chat-store/chat-records.ts";
import type { DeviceState } from "../device-state/state.ts";
import { AddressBook } from "./address-book.ts";
import type { Credentials } from "./credentials.ts";
import { historyChunk, namesOf } from "./decode/history-chunk.ts";
import type { HistoryChunk } from "./decode/history-chunk.ts";

/** What a socket tells of chats besides the messages themselves. */
export type ChatEvents = {
  onHistory: (chunk: HistoryChunk) => void;
  onContacts: (contacts: (Contact & { address: string })[]) => void;
  /** What came in this chat until then, in milliseconds since 1970, has been read on another device of the account. */
  onChatRead: (chat: string, at: number) => void;
};

/**
 * Baileys hands these to its event buffer, which holds them back for up to 30 s, leaves out of a history what it has seen
 * before, and merges pieces under the type of the last (lib/Utils/event-buffer.js). Here they are taken on their way in,
 * in the tick in which Baileys marks them as done in its own state; a history goes no further, as nobody else needs it.
 */
export function tellOfChats(sock: WASocket, state: DeviceState<Credentials>, events: ChatEvents): void {
  const reader = { creds: state.creds, book: new AddressBook(state) };
  const emit = sock.ev.emit.bind(sock.ev);
  sock.ev.emit = (event, data) => {
    if (state.failed) return emit(event, data);
    if (event === "messaging-history.set") {
      events.onHistory(historyChunk(data as BaileysEventMap["messaging-history.set"], reader));
      return true;
    }
    if (event === "contacts.upsert" || event === "contacts.update") {
      const contacts = data as BaileysEventMap["contacts.update"];
      events.onContacts(contacts.flatMap(namesOf));
    }
    if (event === "chats.update") {
      // Zero comes only from the account's other devices (lib/Utils/chat-utils.js, markChatAsReadAction).
      for (const { id, unreadCount } of data as BaileysEventMap["chats.update"]) {
        if (unreadCount === 0 && parseJid(id ?? "")) events.onChatRead(id ?? "", Date.now());
      }
    }
    return emit(event, data);
  };
  // Before Baileys acknowledges it: what is written now is durable before the acknowledgement leaves.
  sock.ws.prependListener("CB:receipt", (node: BinaryNode) => {
    const read = state.failed ? undefined : toRead(node, state.creds);
    if (read) events.onChatRead(read.chat, read.at);
  });
}

/**
 * An own device has read: `read-self`, or `read` from the account itself, then with the chat as the recipient, or as a
 * participant of the group (whatsmeow, receipt.go and message.go).
 */
function toRead({ attrs }: BinaryNode, { me }: Credentials): { chat: string; at: number } | undefined {
  const { type, from, participant, recipient, t } = attrs;
  if (type !== "read" && type !== "read-self") return undefined;
  const isOwn = (jid: string | undefined) => areJidsSameUser(jid, me?.id) || areJidsSameUser(jid, me?.lid);
  if (type === "read" && !isOwn(participant ?? from)) return undefined;
  const isGroup = parseJid(from ?? "")?.server === GROUP_SERVER;
  const chat = jidNormalizedUser(isGroup ? from : (recipient ?? from));
  // A second has passed when its messages are read.
  return parseJid(chat) && !isOwn(chat) ? { chat, at: Number(t ?? 0) * 1000 + 999 } : undefined;
}
