import { createHash, randomBytes } from "node:crypto";
import {
  decryptPollVote,
  downloadMediaMessage,
  generateWAMessageFromContent,
  type AnyMessageContent,
  type WAMessage,
} from "@whiskeysockets/baileys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { EventLog } from "../testing/event-log.ts";
import { mediaAgents } from "../testing/media-agents.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";
import type { InboxMessage } from "./inbox.ts";
import { encryptVote } from "./votes.ts";

let world: World;
let alice: BaileysClient;
let events: EventLog;
let group: string;

beforeAll(async () => {
  world = await World.start();
  alice = world.client();
  events = new EventLog(alice);
  await alice.link(ALICE);
  group = await world.group(BOB, "Everything", [ALICE]);
});
afterAll(() => world.dispose());

const pn = (phone: string) => `${phone}@s.whatsapp.net`;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Sends something on Bob's phone; answers its id. */
async function write(to: string, body: object): Promise<string> {
  const answer = await world.post(`/phones/${BOB}/messages`, { to, ...body });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body.id;
}

async function atBob(id: string): Promise<InboxMessage> {
  const find = async () => (await world.inbox(BOB)).find((each) => each.id === id);
  await until(async () => (await find()) !== undefined, `${id} at Bob`);
  return (await find()) as InboxMessage;
}

describe.each(["a person", "a group"])("between a phone and a client, with %s", (where) => {
  const isGroup = where === "a group";
  /** The chat as Bob's phone calls it, and as Alice's client does. */
  const chats = () => (isGroup ? { forBob: group, forAlice: group } : { forBob: ALICE, forAlice: pn(BOB) });
  const send = async (content: AnyMessageContent) => atBob(await alice.send(chats().forAlice, content));
  const receive = async (body: object) => alice.message(await write(chats().forBob, body));

  test("a reply names what it answers", async () => {
    const question = await receive({ text: "how are you?" });
    const answer = await alice.send(chats().forAlice, { text: "fine" }, { quoted: question });
    expect(await atBob(answer)).toMatchObject({ type: "text", text: "fine", quoted: { id: question.key.id } });
    const reply = await receive({ text: "good", replyTo: answer });
    expect(reply.message?.extendedTextMessage).toMatchObject({
      text: "good",
      contextInfo: { stanzaId: answer, quotedMessage: { extendedTextMessage: { text: "fine" } } },
    });
  });

  test("a mention names people", async () => {
    expect(await send({ text: "@you", mentions: [pn(BOB)] })).toMatchObject({ text: "@you", mentions: [BOB] });
    const { message } = await receive({ text: "@you", mentions: [ALICE] });
    const alias = isGroup ? `${(await world.phone(ALICE)).lid}@lid` : pn(ALICE);
    expect(message?.extendedTextMessage?.contextInfo?.mentionedJid).toEqual([alias]);
  });

  test("a reaction goes to the message, and away again", async () => {
    const said = await receive({ text: "a joke" });
    expect(await send({ react: { text: "😂", key: said.key } })).toMatchObject({
      type: "reaction",
      text: "😂",
      quoted: { id: said.key.id },
    });
    expect(await send({ react: { text: "", key: said.key } })).toMatchObject({ type: "reaction", text: "" });
    const mine = await alice.send(chats().forAlice, { text: "another" });
    await atBob(mine);
    await write(chats().forBob, { reaction: { messageId: mine, emoji: "👍" } });
    const [reacted] = await events.find("messages.reaction", ([each]) => each?.key.id === mine);
    expect(reacted?.reaction.text).toBe("👍");
    expect(reacted?.key).toMatchObject({ fromMe: true, remoteJid: chats().forAlice });
  });

  test("an edit replaces the text", async () => {
    const id = await alice.send(chats().forAlice, { text: "frist" });
    const key = { remoteJid: chats().forAlice, id, fromMe: true };
    expect(await send({ text: "first", edit: key })).toMatchObject({ type: "edit", text: "first", quoted: { id } });
    const said = await receive({ text: "secnod" });
    await write(chats().forBob, { edit: { messageId: said.key.id, text: "second" } });
    const [edited] = await events.find("messages.update", ([each]) => each?.key.id === said.key.id);
    expect(edited?.update.message?.editedMessage?.message).toMatchObject({ conversation: "second" });
    expect(edited?.key.fromMe).toBe(false);
  });

  test("a message is deleted for everyone", async () => {
    const id = await alice.send(chats().forAlice, { text: "oops" });
    const key = { remoteJid: chats().forAlice, id, fromMe: true };
    expect(await send({ delete: key })).toMatchObject({ type: "delete", quoted: { id } });
    const said = await receive({ text: "oops, too" });
    await write(chats().forBob, { delete: { messageId: said.key.id } });
    const [gone] = await events.find("messages.update", ([each]) => each?.key.id === said.key.id);
    expect(gone?.update).toMatchObject({ message: null, messageStubType: 1 });
  });

  test("a poll is put to the vote", async () => {
    const poll = await receive({ poll: { name: "Lunch?", options: ["Pizza", "Soup"] } });
    expect(poll.message?.pollCreationMessageV3).toMatchObject({ name: "Lunch?", selectableOptionsCount: 1 });
    const [aliceJid, bobJid] = isGroup
      ? [`${(await world.phone(ALICE)).lid}@lid`, `${(await world.phone(BOB)).lid}@lid`]
      : [pn(ALICE), pn(BOB)];
    const ballot = { pollId: poll.key.id ?? "", poll: poll.message ?? {}, creatorJid: bobJid, voterJid: aliceJid };
    const vote = encryptVote(ballot, ["Soup"]);
    if (!vote) throw new Error("no vote");
    const pollCreationMessageKey = poll.key;
    const content = { pollUpdateMessage: { pollCreationMessageKey, vote, senderTimestampMs: Date.now() } };
    const { key, message } = generateWAMessageFromContent(chats().forAlice, content, { userJid: alice.jid });
    await alice.socket.relayMessage(chats().forAlice, message ?? {}, { messageId: key.id ?? "" });
    expect(await atBob(key.id ?? "")).toMatchObject({ type: "vote", options: ["Soup"], quoted: { id: poll.key.id } });

    const asked = await alice.send(chats().forAlice, {
      poll: { name: "Tea?", values: ["Yes", "No"], selectableCount: 1 },
    });
    expect(await atBob(asked)).toMatchObject({ type: "poll", text: "Tea?", options: ["Yes", "No"] });
    const answer = await receive({ vote: { messageId: asked, options: ["No"] } });
    const update = answer.message?.pollUpdateMessage;
    const own = alice.received.find((each) => each.key.id === asked) as WAMessage;
    const decrypted = decryptPollVote(update?.vote ?? {}, {
      pollCreatorJid: aliceJid,
      pollMsgId: asked,
      pollEncKey: own.message?.messageContextInfo?.messageSecret ?? new Uint8Array(),
      voterJid: bobJid,
    });
    expect(decrypted.selectedOptions.map((each) => Buffer.from(each).toString("hex"))).toEqual([
      sha256(Buffer.from("No")),
    ]);
    expect(update?.pollCreationMessageKey).toMatchObject({ id: asked, fromMe: true });
  });

  test("places and contacts are passed on", async () => {
    const place = { latitude: 52.5, longitude: 13.4, name: "Berlin", address: "Somewhere 1" };
    const { latitude: degreesLatitude, longitude: degreesLongitude, name, address } = place;
    expect(await send({ location: { degreesLatitude, degreesLongitude, name, address } })).toMatchObject({
      type: "location",
      location: place,
    });
    const there = await receive({ location: place });
    expect(there.message?.locationMessage).toMatchObject({ degreesLatitude, degreesLongitude, name, address });
    const vcard = "BEGIN:VCARD\nVERSION:3.0\nFN:Eve\nEND:VCARD";
    expect(await send({ contacts: { displayName: "Eve", contacts: [{ displayName: "Eve", vcard }] } })).toMatchObject({
      type: "contact",
      contacts: [{ name: "Eve", vcard }],
    });
    const contact = await receive({ contact: { name: "Eve", phone: "15557654321" } });
    expect(contact.message?.contactMessage?.vcard).toContain("waid=15557654321");
  });

  test.each([
    ["image", "image/png"],
    ["video", "video/mp4"],
    ["audio", "audio/ogg; codecs=opus"],
    ["document", "application/pdf"],
    ["sticker", "image/webp"],
  ] as const)("a file of kind %s is uploaded, downloaded and decrypted, byte by byte", async (kind, mimetype) => {
    const bytes = randomBytes(70_000);
    const details = kind === "document" ? { fileName: "paper.pdf" } : {};
    const caption = kind === "image" || kind === "video" || kind === "document" ? { caption: "look" } : {};
    const content = {
      [kind]: bytes,
      mimetype,
      ...details,
      ...caption,
      jpegThumbnail: "",
    } as unknown as AnyMessageContent;
    expect(await send(content)).toMatchObject({
      type: kind,
      ...caption,
      media: { mimetype, size: bytes.length, sha256: sha256(bytes), ...details },
    });
    const received = await receive({ media: { mimetype, base64: bytes.toString("base64"), ...details, ...caption } });
    const { dispatcher } = mediaAgents(Number(new URL(world.simulator.url).port));
    const downloaded = await downloadMediaMessage(received, "buffer", { options: { dispatcher } as RequestInit });
    expect(sha256(downloaded)).toBe(sha256(bytes));
    expect(received.message).toMatchObject({ [`${kind}Message`]: { mimetype, ...details, ...caption } });
  });

  test("what is to be seen once, or to vanish, says so", async () => {
    const image = randomBytes(1_000);
    const once = await send({ image, viewOnce: true, jpegThumbnail: "" });
    expect(once).toMatchObject({ type: "image", viewOnce: true });
    const base64 = image.toString("base64");
    const seen = await receive({ media: { mimetype: "image/png", base64 }, viewOnce: true });
    expect(seen.message?.viewOnceMessageV2?.message?.imageMessage).toMatchObject({ fileLength: expect.anything() });
    const id = await alice.send(chats().forAlice, { text: "vanishing" }, { ephemeralExpiration: 86_400 });
    expect(await atBob(id)).toMatchObject({ text: "vanishing", ephemeralSeconds: 86_400 });
    const vanishing = await receive({ text: "vanishing", ephemeralSeconds: 86_400 });
    expect(vanishing.message?.ephemeralMessage?.message?.extendedTextMessage).toMatchObject({
      text: "vanishing",
      contextInfo: { expiration: 86_400 },
    });
  });

  test("a message can arrive more than once, under one id", async () => {
    const id = await write(chats().forBob, { text: "twice", copies: 2 });
    await until(() => alice.received.filter(({ key }) => key.id === id).length === 2);
    expect(
      alice
        .texts()
        .filter((each) => each.id === id)
        .map(({ text }) => text),
    ).toEqual(["twice", "twice"]);
  });
});

test("a phone can address people by LID", async () => {
  const { lid } = await world.phone(BOB);
  const id = await write(ALICE, { text: "by LID", addressing: "lid" });
  const { key } = await alice.message(id);
  expect(key).toMatchObject({ remoteJid: `${lid}@lid`, remoteJidAlt: pn(BOB), addressingMode: "lid" });
  await alice.send(`${lid}@lid`, { text: "and back" });
  await until(async () => (await world.inbox(BOB)).some(({ text }) => text === "and back"));
});

test("a group's timer is on what phones send", async () => {
  await world.post(`/phones/${BOB}/groups/${group}`, { settings: { ephemeralSeconds: 604_800 } });
  const { message } = await alice.message(await write(group, { text: "for a week" }));
  expect(message?.ephemeralMessage?.message?.extendedTextMessage?.contextInfo?.expiration).toBe(604_800);
  await world.post(`/phones/${BOB}/groups/${group}`, { settings: { ephemeralSeconds: 0 } });
});

test("a message belongs to its chat: in another one it is unknown", async () => {
  const messageId = await write(group, { text: "in the group" });
  const answer = await world.post(`/phones/${BOB}/messages`, { to: ALICE, reaction: { messageId, emoji: "!" } });
  expect([answer.status, answer.body.error.code]).toEqual([404, "message_unknown"]);
});

test("an admin deletes what others wrote; nobody else does", async () => {
  const theirs = await alice.send(group, { text: "spam" });
  await atBob(theirs);
  await write(group, { delete: { messageId: theirs } });
  await events.find("messages.update", ([each]) => each?.key.id === theirs && each.update.message === null);
  const mine = await write(group, { text: "not spam" });
  await until(async () => (await world.inbox(ALICE)).some(({ id }) => id === mine));
  const refused = await world.post(`/phones/${ALICE}/messages`, { to: group, delete: { messageId: mine } });
  expect([refused.status, refused.body.error.code]).toEqual([409, "not_allowed"]);
  const edit = await world.post(`/phones/${ALICE}/messages`, { to: group, edit: { messageId: mine, text: "x" } });
  expect([edit.status, edit.body.error.code]).toEqual([409, "not_allowed"]);
});
