import "../quiet.ts";
import { cleanMessage, decodeMessageNode, proto, unpadRandomMax16 } from "@whiskeysockets/baileys";
import type { WAMessage } from "@whiskeysockets/baileys";
import { GROUP_SERVER, LID_SERVER, formatJid, jidOfPhone, parseJid, phoneOfJid } from "../../../shared/jid.ts";
import type { Addresses, MessageContent, MessageTarget, Person } from "../../../shared/message.ts";
import type { JournalEntry } from "../../device-state/state.ts";
import type { AddressBook } from "../address-book.ts";
import type { Credentials } from "../credentials.ts";
import { messageContent } from "./message-content.ts";
import { isoTime } from "./message-parts.ts";
import { otherNames } from "./other-names.ts";

/** A message that came in: of another person, or typed on another device of this account. */
export type IncomingMessage = {
  messageId: string;
  /**
   * Where it lies, who wrote it and its id: the same for every copy, however often and in whatever way it came. Made of
   * the stanza alone, so that what is learnt later of who is who does not make two of one.
   */
  key: string;
  /**
   * The keys that a copy may have whose stanza names the person by another address, as far as that is known: one that
   * was asked for again may come without the number that the first came with.
   */
  otherKeys: string[];
  /** The other person, or the group (whose `phone` and `lid` are null). */
  chat: Addresses;
  fromMe: boolean;
  sender: Person;
  sentAt: Date;
  /** Other messages are named from this account's point of view. */
  content: MessageContent;
  /** The message as WhatsApp encodes it: keys of media, secrets of polls. */
  bytes: () => Buffer;
};

/** The kind of a journal entry of a message whose content we do not have; in place of it, why. */
export const WITHHELD = "withheld";

const withheld = (plain: Buffer): MessageContent => ({ messageType: "unsupported", kind: plain.toString() });

/** Who is asked: the device's credentials, and what it knows of who is who. */
export type Reader = { creds: Credentials; book: AddressBook };

/**
 * The messages in a journaled stanza: one, or those that our phone passes on because they could not be had otherwise.
 * None where there is nothing that a person sees (keys, history, sender-key distributions), and in what Baileys could
 * make nothing of either.
 */
export function incomingMessages(entry: JournalEntry, reader: Reader): IncomingMessage[] {
  const message = decode(entry, reader.creds);
  const passedOn = message ? placeholderAnswers(message) : [];
  return [...(message ? [message] : []), ...passedOn].flatMap(
    (one) => toIncoming(one, one === message ? entry : { ...entry, attrs: {} }, reader) ?? [],
  );
}

/** What is known of a message beside it: of one that came live its journal entry, out of a history nothing. */
type Stanza = Pick<JournalEntry, "attrs"> & Partial<JournalEntry>;

/** A message of Baileys' form, live or out of a history. */
export function toIncoming(
  message: WAMessage,
  { attrs, kind, plain = Buffer.alloc(0), at = 0 }: Stanza,
  { book }: Pick<Reader, "book">,
): IncomingMessage | undefined {
  const { message: body, pushName, messageTimestamp } = message;
  const { remoteJid, id, participant, fromMe: isOwn } = message.key;
  const content = kind === WITHHELD ? withheld(plain) : body && messageContent(body);
  if (!content || !remoteJid || !id) return undefined;
  const fromMe = isOwn === true;
  const self = book.self();
  const isGroup = parseJid(remoteJid)?.server === GROUP_SERVER;
  const role = participant ? "participant" : fromMe ? "recipient" : "sender";
  const names = [participant || remoteJid, ...otherNames(attrs, role)];
  const other = book.addressesOf(...names);
  const sender = { ...(fromMe ? self : other), name: pushName ?? null };
  const keyAt = (address: string) => {
    const place = isGroup ? `${remoteJid}|${fromMe ? "" : address}` : address;
    return ["message", place, fromMe ? "me" : "", id].join("|");
  };
  const key = keyAt(addressIn(names));
  return {
    messageId: id,
    key,
    otherKeys: [...new Set(addressesIn([...names, ...jidsOf(other)]).map(keyAt))].filter((one) => one !== key),
    // A message to a broadcast list comes in the chat with its writer.
    chat: isGroup ? book.addressesOf(remoteJid) : other,
    fromMe,
    sender,
    sentAt: new Date(isoTime(messageTimestamp) ?? at),
    content: forReader(content, { sender, fromMe, self, book }),
    bytes: () => Buffer.from(proto.Message.encode(body ?? {}).finish()),
  };
}

/**
 * Messages that came without content (`unavailable`), as our own phone gives them when Baileys has asked it for them
 * (lib/Utils/process-message.js). Anybody can write such an answer; only our own phone's counts.
 */
function placeholderAnswers({ key, message }: WAMessage): WAMessage[] {
  const answer = message?.protocolMessage?.peerDataOperationRequestResponseMessage;
  if (key.fromMe !== true || !answer) return [];
  return (answer.peerDataOperationResult ?? []).flatMap(({ placeholderMessageResendResponse: resent }) => {
    const bytes = resent?.webMessageInfoBytes;
    const info = bytes?.length ? decodeInfo(bytes) : undefined;
    return info ? [info] : [];
  });
}

function decodeInfo(bytes: Uint8Array): WAMessage | undefined {
  try {
    const info = proto.WebMessageInfo.decode(bytes);
    const { key } = info;
    return key
      ? Object.assign(info, { key: { ...key, participant: key.participant || info.participant || null } })
      : undefined;
  } catch {
    return undefined;
  }
}

const addressesIn = (names: readonly (string | undefined)[]) =>
  names.flatMap((name) => parseJid(name ?? "") ?? []).map(formatJid);

const jidsOf = ({ phone, lid }: Addresses) => [
  ...(phone ? [jidOfPhone(phone)] : []),
  ...(lid ? [`${lid}@${LID_SERVER}`] : []),
];

/** One address, of those that name one person: the phone number's rather than the LID's. */
function addressIn(names: readonly (string | undefined)[]): string {
  const known = addressesIn(names);
  return known.find((address) => phoneOfJid(address)) ?? known[0] ?? "";
}

/** The message exactly as Baileys would emit it, from the stanza's attributes and the decrypted bytes. */
function decode({ attrs, kind, plain }: JournalEntry, { me }: Credentials): WAMessage | undefined {
  if (!me?.id) return undefined;
  try {
    const { fullMessage } = decodeMessageNode({ tag: "message", attrs: { ...attrs } }, me.id, me.lid ?? "");
    const message: proto.IMessage =
      kind === WITHHELD ? {} : proto.Message.decode(kind === "plaintext" ? plain : unpadRandomMax16(plain));
    fullMessage.message = message.deviceSentMessage?.message ?? message;
    cleanMessage(fullMessage, me.id, me.lid ?? "");
    return fullMessage;
  } catch {
    // Addresses and bytes that Baileys does not know either.
    return undefined;
  }
}

type View = { sender: Addresses; fromMe: boolean; self: Addresses; book: AddressBook };

function forReader(content: MessageContent, view: View): MessageContent {
  const { book } = view;
  const named = (jid: string) => book.addressesOf(jid).jid;
  const mentions = "mentions" in content && content.mentions ? { mentions: content.mentions.map(named) } : {};
  const { quoted } = "quoted" in content ? content : {};
  const answered = quoted ? { quoted: { ...quoted, sender: quoted.sender && named(quoted.sender) } } : {};
  if (!("target" in content)) return { ...content, ...mentions, ...answered };
  return { ...content, ...mentions, target: targetForReader(content.messageType, content.target, view) };
}

/** Of the reactions and votes `cleanMessage` has turned the key already; the other kinds name it as their writer does. */
function targetForReader(kind: MessageContent["messageType"], target: MessageTarget, view: View): MessageTarget {
  const { sender, fromMe, self, book } = view;
  const isTurned = kind === "reaction" || kind === "poll_vote";
  // Only one's own messages can be edited, whatever the key says.
  const isWritersOwn = kind === "edit" || (target.fromMe && !isTurned);
  if (isWritersOwn) return { ...target, fromMe, sender: sender.jid };
  const author = target.fromMe ? self : book.addressesOf(target.sender);
  const isSelf = author.jid !== "" && author.jid === self.jid;
  return { ...target, fromMe: isSelf, sender: author.jid || null };
}
