import { randomBytes } from "node:crypto";
import { proto } from "@whiskeysockets/baileys";
import type { Account } from "../network/account.ts";
import { chatJid, chatName, personJid, type Chat } from "./chat.ts";
import type { KnownMessage } from "./known-messages.ts";
import type { MediaFields, MediaKind } from "./media-part.ts";
import { encryptVote, optionsOf } from "./votes.ts";

/** What a person writes. Messages are named by id; people who are mentioned by number. */
export type Draft =
  | { kind: "text"; text: string; replyTo?: string | undefined; mentions?: Account[] | undefined }
  | { kind: "media"; media: MediaFields; as: MediaKind; caption?: string | undefined; replyTo?: string | undefined }
  | { kind: "reaction"; messageId: string; emoji: string }
  | { kind: "edit"; messageId: string; text: string }
  | { kind: "delete"; messageId: string }
  | { kind: "poll"; name: string; options: string[]; selectable: number }
  | { kind: "vote"; messageId: string; options: string[] }
  | { kind: "location"; latitude: number; longitude: number; name?: string | undefined; address?: string | undefined }
  | { kind: "contact"; name: string; phone: string };

export type Wrapping = { viewOnce?: boolean | undefined; ephemeralSeconds?: number | undefined };

/** A message as it is encrypted, with what its stanza says about it in the clear. */
export type Composed = { message: proto.IMessage; type: string; edit?: "1" | "7" | "8" };
/** `unknown-message`: this phone does not know it; `not-allowed`: it is not the person's own, or no such poll or option. */
export type ComposeOutcome = Composed | "unknown-message" | "not-allowed";

export type Desk = {
  self: Account;
  chat: Chat;
  known: (id: string) => KnownMessage | undefined;
  author: (number: string) => Account | undefined;
};

const { REVOKE, MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;

/** Puts a draft into the form that WhatsApp's messages have (Baileys Utils/messages.js, `generateWAMessageContent`). */
export function compose(desk: Desk, draft: Draft, wrapping: Wrapping = {}): ComposeOutcome {
  switch (draft.kind) {
    case "text":
      return composeText(desk, draft, wrapping);
    case "media": {
      const quoted = quote(desk, draft.replyTo);
      if (quoted === "unknown-message") return quoted;
      const part = { ...draft.media, caption: draft.caption, contextInfo: context(quoted, wrapping) };
      return { message: wrap({ [`${draft.as}Message`]: part }, wrapping), type: "media" };
    }
    case "reaction":
      return about(desk, draft.messageId, (key) => ({
        message: { reactionMessage: { key, text: draft.emoji, senderTimestampMs: Date.now() } },
        type: "reaction",
      }));
    case "edit":
      return about(desk, draft.messageId, (key) => {
        if (!key.fromMe) return "not-allowed";
        const editedMessage = { conversation: draft.text };
        const protocolMessage = { key, type: MESSAGE_EDIT, editedMessage, timestampMs: Date.now() };
        return { message: { protocolMessage }, type: "text", edit: "1" };
      });
    case "delete":
      return about(desk, draft.messageId, (key) => {
        const isAdmin = desk.chat.kind === "group" && desk.chat.group.isAdmin(desk.self);
        if (!key.fromMe && !isAdmin) return "not-allowed";
        return { message: { protocolMessage: { key, type: REVOKE } }, type: "text", edit: key.fromMe ? "7" : "8" };
      });
    case "poll": {
      const poll = {
        name: draft.name,
        options: draft.options.map((optionName) => ({ optionName })),
        selectableOptionsCount: draft.selectable,
        contextInfo: context(undefined, wrapping),
      };
      const kind = draft.selectable === 1 ? "pollCreationMessageV3" : "pollCreationMessage";
      return { message: { [kind]: poll, messageContextInfo: { messageSecret: randomBytes(32) } }, type: "poll" };
    }
    case "vote":
      return composeVote(desk, draft);
    case "location": {
      const { latitude: degreesLatitude, longitude: degreesLongitude, name = null, address = null } = draft;
      const contextInfo = context(undefined, wrapping) ?? null;
      const place = { degreesLatitude, degreesLongitude, name, address, contextInfo };
      return { message: { locationMessage: place }, type: "text" };
    }
    case "contact": {
      const { name, phone } = draft;
      const vcard = `BEGIN:VCARD\nVERSION:3.0\nFN:${name}\nTEL;type=CELL;waid=${phone}:+${phone}\nEND:VCARD`;
      const contactMessage = { displayName: name, vcard, contextInfo: context(undefined, wrapping) ?? null };
      return { message: { contactMessage }, type: "media" };
    }
  }
}

function composeText(desk: Desk, draft: Extract<Draft, { kind: "text" }>, wrapping: Wrapping): ComposeOutcome {
  const { text, mentions = [] } = draft;
  const quoted = quote(desk, draft.replyTo);
  if (quoted === "unknown-message") return quoted;
  const mentionedJid = mentions.map((account) => personJid(desk.chat, account));
  const contextInfo = context(mentionedJid.length > 0 ? { ...quoted, mentionedJid } : quoted, wrapping);
  const message = contextInfo ? { extendedTextMessage: { text, contextInfo } } : { conversation: text };
  return { message: wrap(message, wrapping), type: "text" };
}

function composeVote(desk: Desk, { messageId, options }: Extract<Draft, { kind: "vote" }>): ComposeOutcome {
  const poll = desk.known(messageId);
  const known = poll && optionsOf(poll.message);
  const creator = poll && desk.author(poll.author);
  if (!poll || !creator) return "unknown-message";
  if (!known || options.some((option) => !known.includes(option))) return "not-allowed";
  const ballot = {
    pollId: messageId,
    poll: poll.message,
    creatorJid: personJid(desk.chat, creator),
    voterJid: personJid(desk.chat, desk.self),
  };
  const vote = encryptVote(ballot, options);
  if (!vote) return "not-allowed";
  return about(desk, messageId, (pollCreationMessageKey) => ({
    message: { pollUpdateMessage: { pollCreationMessageKey, vote, senderTimestampMs: Date.now() } },
    type: "poll",
  }));
}

/** Something about another message, which is named from the writer's point of view (Baileys Utils/process-message.js, `cleanMessage`). */
function about(
  { self, chat, known, author }: Desk,
  id: string,
  write: (key: proto.IMessageKey) => ComposeOutcome,
): ComposeOutcome {
  const target = known(id);
  if (target?.chat !== chatName(chat)) return "unknown-message";
  const fromMe = target.author === self.number;
  const writer = author(target.author);
  const participant = chat.kind === "group" && !fromMe && writer ? personJid(chat, writer) : undefined;
  return write({ remoteJid: chatJid(chat), fromMe, id, ...(participant !== undefined && { participant }) });
}

function quote(desk: Desk, id: string | undefined): proto.IContextInfo | "unknown-message" | undefined {
  if (id === undefined) return undefined;
  const quoted = desk.known(id);
  const author = quoted && desk.author(quoted.author);
  if (!quoted || !author) return "unknown-message";
  return { stanzaId: id, participant: personJid(desk.chat, author), quotedMessage: quoted.message };
}

function context(
  given: proto.IContextInfo | undefined,
  { ephemeralSeconds }: Wrapping,
): proto.IContextInfo | undefined {
  if (!ephemeralSeconds) return given;
  return { ...given, expiration: ephemeralSeconds };
}

function wrap(message: proto.IMessage, { viewOnce, ephemeralSeconds }: Wrapping): proto.IMessage {
  const inner = viewOnce ? { viewOnceMessageV2: { message } } : message;
  return ephemeralSeconds ? { ephemeralMessage: { message: inner } } : inner;
}
