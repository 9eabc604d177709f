import type { ChatHistory } from "../../shared/chats.ts";
import type { CommandPayload } from "../../shared/commands.ts";
import { chatMessageView } from "../chat-store/chat-message-view.ts";
import type { ChatPart } from "../chat-store/chat-reader.ts";
import type { StoredMessage } from "../chat-store/stored-message.ts";
import type { DeviceChats } from "../device-chats.ts";
import type { Device } from "../device.ts";
import type { Reading } from "./read-chats.ts";

type Wanted = Extract<CommandPayload, { kind: "read-chat" }>;
type Answered = { part: ChatPart; source: ChatHistory["source"] };

/** As many as a phone gives at once (Baileys' documentation of fetchMessageHistory). */
const MAX_ASKED = 50;

/**
 * A part of a chat. The phone is asked for older messages when the store has not enough of them, or when that is wished;
 * what it gives goes into the store, and the answer comes from there, so that the two are one history.
 */
export async function readChat(device: Device, chats: DeviceChats, wanted: Wanted): Promise<Reading> {
  const { reader, book } = chats;
  const before = wanted.before === undefined ? undefined : await reader.position(wanted.chat, wanted.before);
  if (wanted.before !== undefined && !before) return { errorCode: "message_not_found" };
  const look = () => reader.part(wanted.chat, wanted.limit, before);

  const stored = await look();
  const isEnough = stored.messages.length >= wanted.limit;
  const { part, source } =
    wanted.source === "store" || (wanted.source === "auto" && isEnough)
      ? ({ part: stored, source: "store" } as const)
      : await askPhone(device, chats, { wanted, before, stored, look });
  const { jid, phone, lid } = book.addressesOf(wanted.chat);
  const self = book.self().jid;
  const answer: ChatHistory = {
    deviceId: device.deviceId,
    jid,
    phoneNumber: phone,
    lid,
    name: reader.nameOf(jid),
    source,
    messages: part.messages.map((message) => chatMessageView(message, self)),
    hasMore: part.hasMore,
  };
  return { answer };
}

type Question = {
  wanted: Wanted;
  before: StoredMessage | undefined;
  stored: ChatPart;
  look: () => Promise<ChatPart>;
};

/** Asks until there is enough, the phone has no more, or the time is up. Whatever came by then is in the answer. */
async function askPhone(
  device: Device,
  chats: DeviceChats,
  { wanted, before, stored, look }: Question,
): Promise<Answered> {
  const deadline = Date.now() + wanted.waitMs;
  let part = stored;
  let source: ChatHistory["source"] = "store";
  if (!part.messages.length) {
    // The phone can only be asked for what comes before a message. Just linked, it gives some by itself.
    await chats.intake.whenComplete(wanted.waitMs);
    part = await look();
  }
  // Asked for what the phone has, one begins at the top; otherwise below what is here already.
  let anchor = wanted.source === "server" ? (before ?? part.messages[0]) : (part.messages.at(-1) ?? before);
  for (let missing = wanted.limit; anchor && missing > 0 && Date.now() < deadline;) {
    const count = Math.min(missing, MAX_ASKED);
    const given = await device.openConnection?.requestHistory(anchor, count, deadline - Date.now());
    if (given === undefined) break;
    source = "server";
    part = await look();
    const oldest: StoredMessage | undefined = part.messages.at(-1);
    // There may be more where as many came as were asked for.
    part = { ...part, hasMore: part.hasMore || given >= count };
    missing = wanted.limit - part.messages.length;
    if (given < count || oldest?.id === anchor.id) break;
    anchor = oldest;
  }
  return { part, source };
}
