import "./quiet.ts";
import { cleanMessage, decodeMessageNode, proto, unpadRandomMax16 } from "@whiskeysockets/baileys";
import type { WAMessageKey } from "@whiskeysockets/baileys";
import { parseJid } from "../../shared/jid.ts";
import type { NewEvent } from "../../shared/events.ts";
import type { JournalEntry } from "../device-state/state.ts";
import type { Credentials } from "./credentials.ts";

type Decoded = { key: WAMessageKey; sentAt: Date; pushName: string | null; content: proto.IMessage };

/**
 * What a journaled stanza says, as an event; undefined for what makes none: messages between our own devices (keys,
 * history), sender-key distributions, kinds that have no event yet, and plaintexts that cannot be read.
 */
export function decodeEvent(entry: JournalEntry, creds: Credentials): NewEvent | undefined {
  const decoded = rebuild(entry, creds);
  const text = decoded && textOf(decoded.content);
  if (!decoded || !text) return undefined;
  const { key, sentAt, pushName } = decoded;
  const { remoteJid: chat, id } = key;
  if (!chat || !id) return undefined;
  const fromMe = key.fromMe === true;
  const own = { jid: creds.me?.id, alternative: creds.me?.lid };
  const other = key.participant
    ? { jid: key.participant, alternative: key.participantAlt }
    : { jid: chat, alternative: key.remoteJidAlt };
  return {
    type: "message.received",
    dedupeKey: ["message", chat, key.participant ?? "", fromMe ? "me" : "", id].join("|"),
    occurredAt: sentAt,
    data: {
      messageId: id,
      chat,
      fromMe,
      sender: { ...person(fromMe ? own : other), name: pushName },
      messageType: "text",
      text,
      sentAt: sentAt.toISOString(),
    },
  };
}

/**
 * The message exactly as Baileys would emit it, from the stanza's attributes and the decrypted bytes. Undefined where
 * Baileys could make nothing of it either: it throws on addresses and bytes that it does not know.
 */
function rebuild({ attrs, plain }: JournalEntry, creds: Credentials): Decoded | undefined {
  const { me } = creds;
  if (!me?.id) return undefined;
  const fullMessage = decodeWith(me.id, me.lid ?? "", attrs, plain);
  if (!fullMessage) return undefined;
  return {
    key: fullMessage.key,
    sentAt: new Date(Number(fullMessage.messageTimestamp ?? 0) * 1000),
    pushName: fullMessage.pushName ?? null,
    content: fullMessage.message ?? {},
  };
}

function decodeWith(meId: string, meLid: string, attrs: Record<string, string>, plain: Uint8Array) {
  try {
    const { fullMessage } = decodeMessageNode({ tag: "message", attrs: { ...attrs } }, meId, meLid);
    const message = proto.Message.decode(unpadRandomMax16(plain));
    fullMessage.message = message.deviceSentMessage?.message ?? message;
    cleanMessage(fullMessage, meId, meLid);
    return fullMessage;
  } catch {
    return undefined;
  }
}

function textOf(content: proto.IMessage): string | undefined {
  return content.conversation ?? content.extendedTextMessage?.text ?? undefined;
}

/** A person has a phone number and a LID; a message names one of them and sometimes the other. */
function person({ jid, alternative }: { jid: string | undefined; alternative: string | undefined }) {
  const known = [jid, alternative].flatMap((text) => parseJid(text ?? "") ?? []);
  const userOn = (server: string) => known.find((one) => one.server === server)?.user ?? null;
  const first = known[0];
  return {
    jid: first ? `${first.user}@${first.server}` : (jid ?? ""),
    phone: userOn("s.whatsapp.net"),
    lid: userOn("lid"),
  };
}
