import { generateWAMessageContent, proto } from "@whiskeysockets/baileys";
import type { AnyMessageContent } from "@whiskeysockets/baileys";
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { messageContent as contentSchema } from "../../../shared/message.ts";
import { silentLogger } from "../silent-logger.ts";
import { messageContent } from "./message-content.ts";

const FILE = randomBytes(300);
const SHA256 = createHash("sha256").update(FILE).digest("hex");
const KEY = { remoteJid: "6281234567890@s.whatsapp.net", fromMe: true, id: "TARGET" };
const target = { messageId: "TARGET", fromMe: true, sender: null };
const MENTIONED = "6289876543210@s.whatsapp.net";

/** As it crosses the wire. */
const sent = (message: proto.IMessage) => proto.Message.decode(proto.Message.encode(message).finish());

async function generated(content: AnyMessageContent): Promise<proto.IMessage> {
  const upload = () => Promise.resolve({ mediaUrl: "https://media/x", directPath: "/x" });
  return sent(await generateWAMessageContent(content, { logger: silentLogger, upload }));
}

const image = { image: FILE, jpegThumbnail: "AA==", width: 40, height: 30 };
const media = { mimetype: "image/jpeg", sizeBytes: 300, sha256: SHA256, width: 40, height: 30 };
const file = (mimetype: string) => ({ mimetype, sizeBytes: 300, sha256: SHA256 });
const startDate = new Date("2026-12-01T03:00:00Z");

const GENERATED: [name: string, content: AnyMessageContent, expected: object][] = [
  ["a text", { text: "Halo" }, { messageType: "text", text: "Halo" }],
  [
    "a text with mentions",
    { text: "@6289876543210 halo", mentions: [MENTIONED] },
    { messageType: "text", text: "@6289876543210 halo", mentions: [MENTIONED] },
  ],
  ["an image", { ...image, caption: "lihat" }, { messageType: "image", caption: "lihat", media }],
  ["an image to be seen once", { ...image, viewOnce: true }, { messageType: "image", media, isViewOnce: true }],
  [
    "a video",
    { video: FILE, jpegThumbnail: "AA==", seconds: 7 },
    { messageType: "video", media: { ...file("video/mp4"), durationSeconds: 7 } },
  ],
  [
    "a gif",
    { video: FILE, jpegThumbnail: "AA==", gifPlayback: true },
    { messageType: "gif", media: file("video/mp4") },
  ],
  [
    "a round video",
    { video: FILE, jpegThumbnail: "AA==", ptv: true },
    { messageType: "video", media: file("video/mp4") },
  ],
  [
    "a sound",
    { audio: FILE, mimetype: "audio/mpeg", seconds: 3 },
    { messageType: "audio", media: { ...file("audio/mpeg"), durationSeconds: 3 } },
  ],
  [
    "a voice message",
    { audio: FILE, ptt: true, seconds: 4 },
    { messageType: "voice", media: { ...file("audio/ogg; codecs=opus"), durationSeconds: 4 } },
  ],
  [
    "a document",
    { document: FILE, mimetype: "application/pdf", fileName: "faktur.pdf", caption: "Faktur" },
    { messageType: "document", caption: "Faktur", media: { ...file("application/pdf"), fileName: "faktur.pdf" } },
  ],
  [
    "a sticker",
    { sticker: FILE, isAnimated: true },
    { messageType: "sticker", media: { ...file("image/webp"), isAnimated: true } },
  ],
  [
    "a place",
    { location: { degreesLatitude: -6.2, degreesLongitude: 106.8, name: "Monas", address: "Jakarta" } },
    { messageType: "location", latitude: -6.2, longitude: 106.8, name: "Monas", address: "Jakarta" },
  ],
  [
    "one contact",
    { contacts: { displayName: "Budi", contacts: [{ displayName: "Budi", vcard: "BEGIN:VCARD" }] } },
    { messageType: "contacts", contacts: [{ name: "Budi", vcard: "BEGIN:VCARD" }] },
  ],
  [
    "several contacts",
    {
      contacts: {
        displayName: "2",
        contacts: [
          { displayName: "A", vcard: "a" },
          { displayName: "B", vcard: "b" },
        ],
      },
    },
    {
      messageType: "contacts",
      contacts: [
        { name: "A", vcard: "a" },
        { name: "B", vcard: "b" },
      ],
    },
  ],
  [
    "a poll",
    { poll: { name: "Makan?", values: ["Soto", "Rawon"], selectableCount: 1 } },
    { messageType: "poll", question: "Makan?", options: ["Soto", "Rawon"], selectableCount: 1 },
  ],
  [
    "a poll with several answers",
    { poll: { name: "Makan?", values: ["Soto", "Rawon"], selectableCount: 0 } },
    { messageType: "poll", question: "Makan?", options: ["Soto", "Rawon"], selectableCount: 0 },
  ],
  ["a reaction", { react: { text: "👍", key: KEY } }, { messageType: "reaction", target, emoji: "👍" }],
  ["a reaction taken back", { react: { text: "", key: KEY } }, { messageType: "reaction", target, emoji: null }],
  ["an edit", { text: "benar", edit: KEY }, { messageType: "edit", target, text: "benar" }],
  ["an edited caption", { ...image, caption: "baru", edit: KEY }, { messageType: "edit", target, text: "baru" }],
  ["a deletion", { delete: KEY }, { messageType: "delete", target }],
  ["a pin", { pin: KEY, type: proto.PinInChat.Type.PIN_FOR_ALL }, { messageType: "pin", target, isPinned: true }],
  ["an unpin", { pin: KEY, type: proto.PinInChat.Type.UNPIN_FOR_ALL }, { messageType: "pin", target, isPinned: false }],
  [
    "the chat's timer",
    { disappearingMessagesInChat: 86_400 },
    { messageType: "disappearing_setting", seconds: 86_400 },
  ],
  [
    "an invitation to a group",
    {
      groupInvite: {
        inviteCode: "C0DE",
        inviteExpiration: 1_795_000_000,
        text: "ikut",
        jid: "1203630@g.us",
        subject: "Tim",
      },
    },
    {
      messageType: "group_invite",
      group: "1203630@g.us",
      groupName: "Tim",
      inviteCode: "C0DE",
      expiresAt: "2026-11-18T11:06:40.000Z",
      caption: "ikut",
    },
  ],
  [
    "an event",
    { event: { name: "Rapat", description: "bulanan", startDate, location: { name: "Kantor" } } },
    {
      messageType: "event",
      name: "Rapat",
      description: "bulanan",
      startsAt: "2026-12-01T03:00:00.000Z",
      place: "Kantor",
      isCanceled: false,
    },
  ],
  [
    "a pressed button",
    { buttonReply: { id: "yes", displayText: "Ya", index: 0 }, type: "plain" },
    { messageType: "interactive", reply: { id: "yes", text: "Ya" } },
  ],
  [
    "a pressed button of a template",
    { buttonReply: { id: "no", displayText: "Tidak", index: 1 }, type: "template" },
    { messageType: "interactive", reply: { id: "no", text: "Tidak" } },
  ],
  [
    "a chosen row",
    { listReply: { title: "Teh", singleSelectReply: { selectedRowId: "row-1" } } },
    { messageType: "interactive", reply: { id: "row-1", text: "Teh" } },
  ],
  [
    "an album",
    { album: { expectedImageCount: 3, expectedVideoCount: 1 } },
    { messageType: "album", imageCount: 3, videoCount: 1 },
  ],
  [
    "what is known by name only",
    { requestPhoneNumber: true },
    { messageType: "unsupported", kind: "requestPhoneNumber" },
  ],
];

const WRITTEN: [name: string, message: proto.IMessage, expected: object | undefined][] = [
  ["a plain text", { conversation: "Halo" }, { messageType: "text", text: "Halo" }],
  [
    "an answer, forwarded, that disappears",
    {
      extendedTextMessage: {
        text: "ya",
        contextInfo: { stanzaId: "Q", participant: "91@lid", isForwarded: true, forwardingScore: 2, expiration: 60 },
      },
    },
    {
      messageType: "text",
      text: "ya",
      quoted: { messageId: "Q", sender: "91@lid" },
      isForwarded: true,
      expiresAfterSeconds: 60,
    },
  ],
  [
    "a place on the move",
    { liveLocationMessage: { degreesLatitude: 1, degreesLongitude: 2, accuracyInMeters: 9, caption: "otw" } },
    { messageType: "live_location", latitude: 1, longitude: 2, accuracyMeters: 9, caption: "otw" },
  ],
  [
    "a vote",
    { pollUpdateMessage: { pollCreationMessageKey: KEY, vote: { encPayload: FILE, encIv: FILE } } },
    { messageType: "poll_vote", target, selectedOptions: null },
  ],
  [
    "buttons of a business",
    {
      buttonsMessage: {
        contentText: "Pilih",
        footerText: "Toko",
        buttons: [{ buttonId: "a", buttonText: { displayText: "A" } }],
      },
    },
    { messageType: "buttons", text: "Pilih", footer: "Toko", choices: [{ id: "a", text: "A" }] },
  ],
  [
    "a list of a business",
    { listMessage: { title: "Menu", sections: [{ rows: [{ rowId: "1", title: "Teh" }] }] } },
    { messageType: "buttons", text: "Menu", choices: [{ id: "1", text: "Teh" }] },
  ],
  [
    "a template of a business",
    {
      templateMessage: {
        hydratedTemplate: {
          hydratedContentText: "Promo",
          hydratedButtons: [
            { quickReplyButton: { id: "q", displayText: "Mau" } },
            { urlButton: { displayText: "Web" } },
          ],
        },
      },
    },
    {
      messageType: "buttons",
      text: "Promo",
      choices: [
        { id: "q", text: "Mau" },
        { id: "", text: "Web" },
      ],
    },
  ],
  [
    "a flow of a business",
    {
      interactiveMessage: {
        body: { text: "Pilih" },
        nativeFlowMessage: {
          buttons: [
            { name: "quick_reply", buttonParamsJson: '{"display_text":"Ya","id":"y"}' },
            { name: "odd", buttonParamsJson: "{" },
          ],
        },
      },
    },
    {
      messageType: "buttons",
      text: "Pilih",
      choices: [
        { id: "y", text: "Ya" },
        { id: "odd", text: "" },
      ],
    },
  ],
  [
    "the answer to a flow",
    {
      interactiveResponseMessage: {
        body: { text: "Ya" },
        nativeFlowResponseMessage: { name: "quick_reply", paramsJson: '{"id":"y"}' },
      },
    },
    { messageType: "interactive", reply: { id: "y", text: "Ya" } },
  ],
  [
    "a document in all wrappings, from an own device",
    {
      deviceSentMessage: {
        destinationJid: MENTIONED,
        message: {
          ephemeralMessage: {
            message: {
              documentWithCaptionMessage: { message: { documentMessage: { fileName: "a.pdf", caption: "ini" } } },
            },
          },
        },
      },
    },
    {
      messageType: "document",
      caption: "ini",
      media: { mimetype: null, sizeBytes: null, sha256: null, fileName: "a.pdf" },
    },
  ],
  [
    "a picture to be seen once, that disappears",
    {
      ephemeralMessage: {
        message: { viewOnceMessageV2: { message: { imageMessage: { contextInfo: { expiration: 5 } } } } },
      },
    },
    {
      messageType: "image",
      media: { mimetype: null, sizeBytes: null, sha256: null },
      expiresAfterSeconds: 5,
      isViewOnce: true,
    },
  ],
  [
    "a payment, of which only the kind is told",
    { sendPaymentMessage: {} },
    { messageType: "unsupported", kind: "sendPayment" },
  ],
  ["keys of a group", { senderKeyDistributionMessage: { groupId: "1@g.us" } }, undefined],
  [
    "keys among own devices",
    { protocolMessage: { type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE } },
    undefined,
  ],
  ["a secret alone", { messageContextInfo: { messageSecret: FILE } }, undefined],
  ["nothing", {}, undefined],
];

describe("the content of a message", () => {
  it.each(GENERATED)("%s", async (_name, content, expected) => {
    const read = messageContent(await generated(content));
    expect(read).toEqual(expected);
    expect(contentSchema.parse(read)).toEqual(read);
  });

  it.each(WRITTEN)("%s", (_name, message, expected) => {
    const read = messageContent(sent(message));
    expect(read).toEqual(expected);
    if (read) expect(contentSchema.parse(read)).toEqual(read);
  });
});
