import { normalizeMessageContent, proto } from "@whiskeysockets/baileys";
import { mediaOf, type MediaPart } from "./media-part.ts";

/** What is in a message, as far as a person would say it. */
export type Content = {
  type: string;
  /** What it says; the emoji of a reaction (empty: taken back), the question of a poll, the name of a place or a contact. */
  text?: string;
  caption?: string;
  /** Numbers or addresses that are mentioned, as the sender wrote them. */
  mentions?: string[];
  /** The message that this one answers, reacts to, edits, deletes or votes on. */
  quoted?: { id: string };
  /** The options of a poll, or those that a vote is for. */
  options?: string[];
  location?: { latitude: number; longitude: number; name?: string; address?: string };
  contacts?: { name: string; vcard: string }[];
  /** An invitation into a group that somebody could not be added to. */
  invitation?: { group: string; code: string };
  viewOnce?: true;
  /** After how many seconds the message is to disappear. */
  ephemeralSeconds?: number;
};

const { REVOKE, MESSAGE_EDIT, EPHEMERAL_SETTING } = proto.Message.ProtocolMessage.Type;

/** Parts of a message that go along with what it says, or that no person sees. */
const HIDDEN = new Set<keyof proto.IMessage>([
  "protocolMessage",
  "senderKeyDistributionMessage",
  "fastRatchetKeySenderKeyDistributionMessage",
  "messageContextInfo",
]);

/** `undefined` for messages between devices that no person sees (key distribution, history, app state). */
export function readContent(message: proto.IMessage): Content | undefined {
  const content = normalizeMessageContent(message);
  if (!content) return undefined;
  const read = readKind(content);
  return read && { ...read, ...(isViewOnce(message, content) ? { viewOnce: true } : {}) };
}

function readKind(content: proto.IMessage): Content | undefined {
  if (content.conversation) return { type: "text", text: content.conversation };
  const { extendedTextMessage, reactionMessage, protocolMessage, pollUpdateMessage, groupInviteMessage } = content;
  if (extendedTextMessage) {
    return { type: "text", text: extendedTextMessage.text ?? "", ...readContext(extendedTextMessage.contextInfo) };
  }
  if (reactionMessage) return { type: "reaction", text: reactionMessage.text ?? "", ...about(reactionMessage.key) };
  if (protocolMessage) return readProtocol(protocolMessage);
  const poll = content.pollCreationMessage ?? content.pollCreationMessageV2 ?? content.pollCreationMessageV3;
  if (poll) {
    const options = (poll.options ?? []).map(({ optionName }) => optionName ?? "");
    return { type: "poll", text: poll.name ?? "", options, ...readContext(poll.contextInfo) };
  }
  if (pollUpdateMessage) return { type: "vote", ...about(pollUpdateMessage.pollCreationMessageKey) };
  if (content.locationMessage) return readLocation(content.locationMessage);
  if (groupInviteMessage) {
    const { caption, groupJid, inviteCode } = groupInviteMessage;
    const invitation = { group: groupJid ?? "", code: inviteCode ?? "" };
    return { type: "groupInvite", ...(caption ? { text: caption } : {}), invitation };
  }
  return readContacts(content) ?? readMedia(mediaOf(content)) ?? readOther(content);
}

/** Edits, deletions and what else changes the chat; the rest is between devices. */
function readProtocol({ type, key, editedMessage, ephemeralExpiration }: proto.Message.IProtocolMessage) {
  if (type === REVOKE) return { type: "delete", ...about(key) };
  if (type === MESSAGE_EDIT) {
    const { text, caption } = (editedMessage && readContent(editedMessage)) ?? {};
    return { type: "edit", ...(text === undefined ? {} : { text }), ...(caption ? { caption } : {}), ...about(key) };
  }
  if (type === EPHEMERAL_SETTING) return { type: "ephemeralSetting", ephemeralSeconds: ephemeralExpiration ?? 0 };
  return undefined;
}

function readLocation({
  degreesLatitude,
  degreesLongitude,
  name,
  address,
  contextInfo,
}: proto.Message.ILocationMessage): Content {
  const location = {
    latitude: degreesLatitude ?? 0,
    longitude: degreesLongitude ?? 0,
    ...(name ? { name } : {}),
    ...(address ? { address } : {}),
  };
  return { type: "location", ...(name ? { text: name } : {}), location, ...readContext(contextInfo) };
}

function readContacts({ contactMessage, contactsArrayMessage }: proto.IMessage): Content | undefined {
  const found = contactMessage ? [contactMessage] : contactsArrayMessage?.contacts;
  if (!found) return undefined;
  const contacts = found.map(({ displayName, vcard }) => ({ name: displayName ?? "", vcard: vcard ?? "" }));
  const context = readContext((contactMessage ?? contactsArrayMessage)?.contextInfo);
  return { type: "contact", text: contacts.map(({ name }) => name).join(", "), contacts, ...context };
}

function readMedia(media: MediaPart | undefined): Content | undefined {
  if (!media) return undefined;
  const { caption, contextInfo } = media.part as { caption?: string; contextInfo?: proto.IContextInfo };
  return { type: media.type, ...(caption ? { caption } : {}), ...readContext(contextInfo) };
}

/** Kinds that nothing more is known about are called as in the protocol. */
function readOther(content: proto.IMessage): Content | undefined {
  for (const [kind, value] of Object.entries(content) as [keyof proto.IMessage, unknown][]) {
    if (typeof value !== "object" || value === null || HIDDEN.has(kind)) continue;
    const { contextInfo } = value as { contextInfo?: proto.IContextInfo };
    return { type: kind.replace(/Message(V\d)?$/, ""), ...readContext(contextInfo) };
  }
  return undefined;
}

function isViewOnce(message: proto.IMessage, content: proto.IMessage): boolean {
  const inner = message.ephemeralMessage?.message ?? message;
  if (inner.viewOnceMessage ?? inner.viewOnceMessageV2 ?? inner.viewOnceMessageV2Extension) return true;
  const { part } = mediaOf(content) ?? {};
  return (part as { viewOnce?: boolean } | undefined)?.viewOnce === true;
}

function about(key: proto.IMessageKey | null | undefined): Pick<Content, "quoted"> {
  return key?.id ? { quoted: { id: key.id } } : {};
}

function readContext(
  context: proto.IContextInfo | null | undefined,
): Pick<Content, "mentions" | "quoted" | "ephemeralSeconds"> {
  const mentions = context?.mentionedJid ?? [];
  return {
    ...(mentions.length > 0 ? { mentions } : {}),
    ...(context?.stanzaId ? { quoted: { id: context.stanzaId } } : {}),
    ...(context?.expiration ? { ephemeralSeconds: context.expiration } : {}),
  };
}
