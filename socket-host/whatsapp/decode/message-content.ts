import "../quiet.ts";
import { normalizeMessageContent, proto } from "@whiskeysockets/baileys";
import type { MessageContent } from "../../../shared/message.ts";
import { attachedMedia } from "./attached-media.ts";
import { choiceContent } from "./choice-content.ts";
import { isoTime, messageContext, numberOf, present, target } from "./message-parts.ts";

const { REVOKE, MESSAGE_EDIT, EPHEMERAL_SETTING } = proto.Message.ProtocolMessage.Type;

/** Parts that go along with what a message says, or that only devices read. */
const UNSEEN = new Set([
  "protocolMessage",
  "senderKeyDistributionMessage",
  "fastRatchetKeySenderKeyDistributionMessage",
  "messageContextInfo",
  "deviceSentMessage",
  "stickerSyncRmrMessage",
]);

/**
 * What a person reads in a decrypted message, out of its wrappings (disappearing, view once, document with caption, copy
 * of an own device). Undefined for what no person sees: keys, history, settings of devices. Other messages are named from the
 * reader's point of view if `cleanMessage` was applied, else from the writer's. What a poll vote is for is
 * encrypted with the poll's secret: see poll-vote.ts.
 */
export function messageContent(message: proto.IMessage): MessageContent | undefined {
  const content = normalizeMessageContent(message.deviceSentMessage?.message ?? message);
  if (!content) return undefined;
  return (
    textContent(content) ??
    attachedMedia(message, content) ??
    aboutAnother(content) ??
    placeContent(content) ??
    groupContent(content) ??
    choiceContent(content) ??
    otherContent(content)
  );
}

function textContent({ conversation, extendedTextMessage: extended }: proto.IMessage): MessageContent | undefined {
  if (conversation) return { messageType: "text", text: conversation };
  if (!extended) return undefined;
  return { messageType: "text", text: extended.text ?? "", ...messageContext(extended.contextInfo) };
}

/** Reactions, votes, pins, edits, deletions; and the chat's timer, which comes the same way. */
function aboutAnother(content: proto.IMessage): MessageContent | undefined {
  const { reactionMessage, pollUpdateMessage, pinInChatMessage, protocolMessage } = content;
  if (reactionMessage) {
    return { messageType: "reaction", target: target(reactionMessage.key), emoji: reactionMessage.text || null };
  }
  if (pollUpdateMessage) {
    return {
      messageType: "poll_vote",
      target: target(pollUpdateMessage.pollCreationMessageKey),
      selectedOptions: null,
    };
  }
  if (pinInChatMessage) {
    const isPinned = pinInChatMessage.type === proto.Message.PinInChatMessage.Type.PIN_FOR_ALL;
    return { messageType: "pin", target: target(pinInChatMessage.key), isPinned };
  }
  if (protocolMessage?.type === REVOKE) return { messageType: "delete", target: target(protocolMessage.key) };
  if (protocolMessage?.type === MESSAGE_EDIT) return editContent(protocolMessage);
  if (protocolMessage?.type === EPHEMERAL_SETTING) {
    return { messageType: "disappearing_setting", seconds: protocolMessage.ephemeralExpiration ?? 0 };
  }
  return undefined;
}

function editContent({ key, editedMessage }: proto.Message.IProtocolMessage): MessageContent {
  const edited = editedMessage ? messageContent(editedMessage) : undefined;
  const text =
    edited?.messageType === "text" ? edited.text : edited && "caption" in edited ? edited.caption : undefined;
  const mentions = edited && "mentions" in edited ? edited.mentions : undefined;
  return { messageType: "edit", target: target(key), text: text ?? "", ...present({ mentions }) };
}

function placeContent({ locationMessage, liveLocationMessage }: proto.IMessage): MessageContent | undefined {
  const place = locationMessage ?? liveLocationMessage;
  if (!place) return undefined;
  const position = { latitude: place.degreesLatitude ?? 0, longitude: place.degreesLongitude ?? 0 };
  const context = messageContext(place.contextInfo);
  if (locationMessage && !locationMessage.isLive) {
    const { name, address, url } = locationMessage;
    return { messageType: "location", ...position, ...present({ name, address, url }), ...context };
  }
  const accuracyMeters = place.accuracyInMeters;
  const caption = liveLocationMessage?.caption ?? locationMessage?.comment;
  return { messageType: "live_location", ...position, ...present({ accuracyMeters, caption }), ...context };
}

/** What is for several people: contacts, polls, invitations, events. */
function groupContent(content: proto.IMessage): MessageContent | undefined {
  const { contactMessage, contactsArrayMessage, groupInviteMessage, eventMessage } = content;
  const poll = pollOf(content);
  if (contactMessage || contactsArrayMessage) {
    const found = contactMessage ? [contactMessage] : (contactsArrayMessage?.contacts ?? []);
    const contacts = found.map(({ displayName, vcard }) => ({ name: displayName ?? "", vcard: vcard ?? "" }));
    return {
      messageType: "contacts",
      contacts,
      ...messageContext((contactMessage ?? contactsArrayMessage)?.contextInfo),
    };
  }
  if (poll) {
    const options = (poll.options ?? []).map(({ optionName }) => optionName ?? "");
    const selectableCount = poll.selectableOptionsCount ?? 0;
    return {
      messageType: "poll",
      question: poll.name ?? "",
      options,
      selectableCount,
      ...messageContext(poll.contextInfo),
    };
  }
  if (groupInviteMessage) {
    const { groupJid, groupName, inviteCode, inviteExpiration, caption, contextInfo } = groupInviteMessage;
    const named = { group: groupJid ?? "", groupName: groupName ?? "", inviteCode: inviteCode ?? "" };
    const expiresAt = isoTime(inviteExpiration);
    return {
      messageType: "group_invite",
      ...named,
      ...present({ expiresAt, caption }),
      ...messageContext(contextInfo),
    };
  }
  return eventMessage ? eventContent(eventMessage) : undefined;
}

/** The poll in a message that is out of its wrappings. */
export const pollOf = (content: proto.IMessage) =>
  content.pollCreationMessage ??
  content.pollCreationMessageV2 ??
  content.pollCreationMessageV3 ??
  content.pollCreationMessageV4?.message?.pollCreationMessage ??
  content.pollCreationMessageV5 ??
  undefined;

function eventContent(event: proto.Message.IEventMessage): MessageContent {
  const { name, description, startTime, endTime, location, joinLink, isCanceled, contextInfo } = event;
  const place = location?.name ?? location?.address;
  const said = { description, startsAt: isoTime(startTime), endsAt: isoTime(endTime), place, joinLink };
  const isOff = isCanceled ?? false;
  return {
    messageType: "event",
    name: name ?? "",
    ...present(said),
    isCanceled: isOff,
    ...messageContext(contextInfo),
  };
}

/** Kinds that the product knows only by name. */
function otherContent(content: proto.IMessage): MessageContent | undefined {
  if (content.albumMessage) {
    const { expectedImageCount, expectedVideoCount, contextInfo } = content.albumMessage;
    const counts = { imageCount: numberOf(expectedImageCount), videoCount: numberOf(expectedVideoCount) };
    return { messageType: "album", ...counts, ...messageContext(contextInfo) };
  }
  for (const [name, part] of Object.entries(content) as [string, { contextInfo?: proto.IContextInfo } | null][]) {
    if (part === null || typeof part !== "object" || UNSEEN.has(name)) continue;
    const kind = name.replace(/Mess{1,3}age(V\d+)?$/, "");
    return { messageType: "unsupported", kind, ...messageContext(part.contextInfo) };
  }
  return undefined;
}
