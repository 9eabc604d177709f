import { deflateSync } from "node:zlib";
import { proto } from "@whiskeysockets/baileys";
import { encryptMedia } from "../media/media-cipher.ts";
import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { lidJid, pnJid } from "../wire/jid.ts";
import { chatJid, findChat, personJid, type Chat } from "./chat.ts";
import type { KnownMessage } from "./known-messages.ts";

const { INITIAL_BOOTSTRAP, RECENT, PUSH_NAME, ON_DEMAND } = proto.HistorySync.HistorySyncType;
const { HISTORY_SYNC_NOTIFICATION } = proto.Message.ProtocolMessage.Type;
const { DELIVERY_ACK } = proto.WebMessageInfo.Status;

/** Above this size, compressed, a history goes by the media host (what real phones do is not known). */
const MAX_INLINE_BYTES = 64 * 1024;
/** So many messages of each chat come at once, the others in chunks of so many. */
const BOOTSTRAP_MESSAGES = 20;
const CHUNK_MESSAGES = 2_000;

type Chats = Map<string, KnownMessage[]>;

/**
 * A history as a phone gives it to a new device, in this order: the latest messages of each chat (without this Baileys holds
 * back all events for 20 s: Socket/chats.js), the names of the people in it, then the rest.
 */
export function firstHistories(network: Network, owner: Account, chats: Chats): proto.IHistorySync[] {
  const latest = mapChats(chats, (messages) => messages.slice(-BOOTSTRAP_MESSAGES));
  const rest = mapChats(chats, (messages) => messages.slice(0, -BOOTSTRAP_MESSAGES));
  const first = { syncType: INITIAL_BOOTSTRAP, conversations: describe(network, owner, latest), chunkOrder: 0 };
  if (latest.size === 0) return [{ ...first, progress: 100 }];
  const chunks = inChunks(rest);
  return [
    { ...first, progress: Math.round(100 / (chunks.length + 1)) },
    { syncType: PUSH_NAME, pushnames: names(network, owner, chats) },
    ...chunks.map((chunk, i) => ({
      syncType: RECENT,
      conversations: describe(network, owner, chunk),
      chunkOrder: i + 1,
      progress: Math.round((100 * (i + 2)) / (chunks.length + 1)),
    })),
  ];
}

/** A part of one chat, as a device asked for it, under the address that it used. */
export function historyOnDemand(
  network: Network,
  owner: Account,
  { chat, messages }: { chat: Chat; messages: KnownMessage[] },
): proto.IHistorySync {
  return { syncType: ON_DEMAND, conversations: [describeChat(network, owner, chat, messages)], progress: 100 };
}

/**
 * The message that brings a history to a device: inside it, or where to download it. `requestId` is that of the request which
 * it answers.
 */
export async function historyMessage(
  network: Network,
  owner: Account,
  history: proto.IHistorySync,
  requestId?: string,
): Promise<proto.IMessage> {
  const { syncType, chunkOrder, progress } = history;
  const bytes = deflateSync(proto.HistorySync.encode(history).finish());
  const historySyncNotification = {
    syncType: syncType as number,
    chunkOrder: chunkOrder ?? 0,
    progress: progress ?? 100,
    ...(requestId !== undefined && { peerDataRequestSessionId: requestId }),
    ...(bytes.length <= MAX_INLINE_BYTES
      ? { initialHistBootstrapInlinePayload: bytes }
      : await upload(network, owner, bytes)),
  };
  return { protocolMessage: { type: HISTORY_SYNC_NOTIFICATION, historySyncNotification } };
}

/** A message as it stands in a history. */
export function webMessage(network: Network, owner: Account, chat: Chat, known: KnownMessage): proto.IWebMessageInfo {
  const fromMe = known.author === owner.number;
  const author = network.account(known.author);
  const participant = chat.kind === "group" && author ? personJid(chat, author) : undefined;
  return {
    key: { remoteJid: chatJid(chat), fromMe, id: known.id, ...(participant !== undefined && { participant }) },
    message: known.message,
    messageTimestamp: known.at,
    ...(fromMe ? { status: DELIVERY_ACK } : { pushName: author?.name ?? null }),
    ...(participant !== undefined && { participant }),
  };
}

async function upload(network: Network, owner: Account, bytes: Buffer) {
  const { encrypted, mediaKey, fileSha256, fileEncSha256, fileLength } = await encryptMedia(bytes, "md-msg-hist");
  const by = { phone: owner.number, device: 0 };
  const { directPath } = await network.media.add(encrypted, { by, audience: [owner.number] });
  network.changed(network.media);
  return { mediaKey, fileSha256, fileEncSha256, fileLength, directPath };
}

function describe(network: Network, owner: Account, chats: Chats): proto.IConversation[] {
  return [...chats].flatMap(([name, messages]) => {
    const chat = findChat(network, name);
    return chat ? [describeChat(network, owner, chat, messages)] : [];
  });
}

/** The newest message comes first (Baileys Utils/history.js takes the first for the chat's latest). */
function describeChat(network: Network, owner: Account, chat: Chat, messages: KnownMessage[]): proto.IConversation {
  const described = messages.map((known) => ({ message: webMessage(network, owner, chat, known) })).reverse();
  const about =
    chat.kind === "group"
      ? { name: chat.group.subject.text }
      : { name: chat.with.name, lidJid: lidJid(chat.with.lid), pnJid: pnJid(chat.with.number) };
  return {
    id: chatJid(chat),
    ...about,
    messages: described,
    conversationTimestamp: messages.at(-1)?.at ?? 0,
    unreadCount: 0,
  };
}

/** The names of everyone who wrote, and of whom the person wrote to. */
function names(network: Network, owner: Account, chats: Chats): proto.IPushname[] {
  const numbers = new Set([...chats.keys(), ...[...chats.values()].flat().map(({ author }) => author)]);
  numbers.delete(owner.number);
  return [...numbers]
    .flatMap((number) => network.account(number) ?? [])
    .map(({ number, name }) => ({ id: pnJid(number), pushname: name }));
}

function mapChats(chats: Chats, pick: (messages: KnownMessage[]) => KnownMessage[]): Chats {
  const picked = [...chats].map(([chat, messages]): [string, KnownMessage[]] => [chat, pick(messages)]);
  return new Map(picked.filter(([, messages]) => messages.length > 0));
}

function inChunks(chats: Chats): Chats[] {
  const chunks: Chats[] = [];
  let room = 0;
  for (const [chat, messages] of chats) {
    for (let at = 0; at < messages.length;) {
      if (room === 0) {
        chunks.push(new Map());
        room = CHUNK_MESSAGES;
      }
      const part = messages.slice(at, at + room);
      chunks.at(-1)?.set(chat, part);
      at += part.length;
      room -= part.length;
    }
  }
  return chunks;
}
