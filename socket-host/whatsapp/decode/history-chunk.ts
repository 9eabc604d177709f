import "../quiet.ts";
import { cleanMessage, proto } from "@whiskeysockets/baileys";
import type { BaileysEventMap, WAMessage } from "@whiskeysockets/baileys";
import { GROUP_SERVER, parseJid } from "../../../shared/jid.ts";
import type { ChatMessage } from "../../chat-store/chat-message.ts";
import type { History, HistoryMessage } from "../../chat-store/history.ts";
import type { StoredStatus } from "../../chat-store/stored-message.ts";
import { toIncoming } from "./incoming-message.ts";
import type { Reader } from "./incoming-message.ts";
import { numberOf } from "./message-parts.ts";

/** What the phone gave of its history, and what names this piece of it. */
export type HistoryChunk = {
  /** As the notification of it said; `requestId` is that of the request which it answers. */
  syncType: number;
  chunkOrder: number;
  requestId: string | undefined;
  isOnDemand: boolean;
  /** Percent of what the phone gives at linking. */
  progress: number;
  history: History;
};

const { ON_DEMAND } = proto.HistorySync.HistorySyncType;
const STATUS = proto.WebMessageInfo.Status;

type Given = BaileysEventMap["messaging-history.set"];

/** Converts nothing yet but the addresses of chats: each message is read when it is asked for. */
export function historyChunk(given: Given, reader: Reader): HistoryChunk {
  const byChat = new Map<string, WAMessage[]>();
  for (const message of given.messages) {
    const chat = message.key.remoteJid ?? "";
    const messages = byChat.get(chat);
    if (messages) messages.push(message);
    else byChat.set(chat, [message]);
  }
  const isKnown = ({ id }: { id?: string | null }) => parseJid(id ?? "") !== undefined;
  return {
    syncType: given.syncType ?? 0,
    chunkOrder: given.chunkOrder ?? 0,
    requestId: given.peerDataRequestSessionId ?? undefined,
    isOnDemand: given.syncType === ON_DEMAND,
    progress: given.progress ?? 0,
    history: {
      contacts: given.contacts.filter(({ id }) => !isGroup(id)).flatMap(namesOf),
      chats: given.chats.filter(isKnown).map((chat) => ({
        address: reader.book.addressesOf(chat.id, chat.pnJid, chat.lidJid).jid,
        ...(chat.name && isGroup(chat.id ?? "") && { name: chat.name }),
        unreadCount: Math.max(0, chat.unreadCount ?? 0),
        messages: (byChat.get(chat.id ?? "") ?? []).map((message) => historyMessage(message, reader)),
      })),
    },
  };
}

const isGroup = (jid: string) => parseJid(jid)?.server === GROUP_SERVER;

type Names = { id?: string | null; name?: string; notify?: string; verifiedName?: string };

/** One contact as the chat store takes it; none when nothing is told but an address, or that is nobody's. */
export function namesOf({ id, name, notify, verifiedName }: Names) {
  const names = { ...(name && { name }), ...(notify && { notify }), ...(verifiedName && { verifiedName }) };
  return id && parseJid(id) && Object.keys(names).length ? [{ address: id, ...names }] : [];
}

function historyMessage(message: WAMessage, reader: Reader): HistoryMessage {
  const fromMe = message.key.fromMe === true;
  return {
    at: numberOf(message.messageTimestamp) * 1000,
    fromMe,
    read: () => readHistoryMessage(message, reader),
  };
}

function readHistoryMessage(message: WAMessage, reader: Reader): ChatMessage | undefined {
  const { me } = reader.creds;
  if (!message.message || !me) return undefined;
  const participant = message.key.participant ?? message.participant;
  const whole = { ...message, key: { ...message.key, ...(participant && { participant }) } };
  cleanMessage(whole, me.id, me.lid ?? "");
  const read = toIncoming(whole, { attrs: {} }, reader);
  if (!read) return undefined;
  const reactions = (message.reactions ?? []).flatMap(({ key, text }) => {
    const by = key?.fromMe ? reader.book.self() : reader.book.addressesOf(key?.participant, key?.remoteJid);
    return text ? [[by.jid, text] as const] : [];
  });
  return {
    ...read,
    ...(read.fromMe && { status: statusOf(message.status) }),
    ...(reactions.length && { reactions: Object.fromEntries(reactions) }),
  };
}

function statusOf(status: proto.WebMessageInfo.Status | null | undefined): StoredStatus {
  if (status === STATUS.ERROR) return "failed";
  if (status === STATUS.PENDING) return "pending";
  if (status === STATUS.DELIVERY_ACK) return "delivered";
  return status === STATUS.READ || status === STATUS.PLAYED ? "read" : "sent";
}
