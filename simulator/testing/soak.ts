import { setTimeout as pause } from "node:timers/promises";
import type { AnyMessageContent, proto, WAMessageKey } from "@whiskeysockets/baileys";
import type { BaileysClient } from "./baileys-client.ts";
import { decryptOnce } from "./decrypt-once.ts";
import { until } from "./until.ts";
import type { World } from "./world.ts";

export type SoakReport = {
  messages: number;
  /** What was done to them on the way. */
  mishaps: Record<string, number>;
  /** Ids that never arrived in a readable form, and such that arrived with another content. */
  missing: string[];
  wrong: string[];
  /** Readable messages beyond the first with their id; an application that knows ids by heart drops them. */
  repeated: number;
  seconds: number;
};

type Side = { client: BaileysClient; phone: string; isEnding: boolean };

const ACK_TIMEOUT_MS = 5_000;
/**
 * Baileys counts each answer to a retry request twice (lib/Socket/messages-recv.js, handleReceipt and sendMessagesAgain):
 * with its default of 5 it answers two, too few where connections are cut meanwhile.
 */
const MAX_RETRIES = 20;
/** As long as something comes within this time, more may come. */
const SILENCE_MS = 20_000;
const LOOK_EVERY_MS = 200;
const PICTURE = Buffer.from("no picture, but bytes");
/** After so many messages of either side each of these happens: to the receiver, or to both by turns. */
const EVERY = { corrupt: 17, drop: 41, "stream-error": 67, reconnect: 89, "no-ack": 53, slow: 31 };

/**
 * Two clients write to each other, `each` messages of mixed kinds in each direction, while connections are cut, messages
 * are spoiled and acknowledgements get lost. They do what an application must: come back after each end of a connection,
 * send again under the same id what was not acknowledged, answer `getMessage`, lose nothing that was decrypted or is held back.
 */
export async function soak(world: World, phones: [string, string], each: number): Promise<SoakReport> {
  const startedAt = performance.now();
  const sides = await Promise.all(
    phones.map(async (phone): Promise<Side> => {
      const client = world.client();
      client.config = { makeSignalRepository: decryptOnce(), maxMsgRetryCount: MAX_RETRIES };
      await client.link(phone);
      return { client, phone, isEnding: false };
    }),
  );
  const [one, two] = sides as [Side, Side];
  const mishaps: Record<string, number> = {};
  const keeping = sides.map(keepConnected);
  const sent = new Map<string, string>();
  await Promise.all([
    writeAll(world, { from: one, to: two, each, mishaps, sent }),
    writeAll(world, { from: two, to: one, each, mishaps, sent }),
  ]);
  await world.delete("/faults");
  const readable = new Map<string, string[]>();
  const missing = () => {
    readable.clear();
    for (const { client } of sides) collectReadable(client, readable);
    return [...sent.keys()].filter((id) => !readable.has(id));
  };
  const lost = await restAfter(missing);
  for (const side of sides) side.isEnding = true;
  await Promise.all(keeping);
  return {
    messages: sent.size,
    mishaps,
    missing: lost,
    wrong: [...sent].filter(([id, content]) => readable.get(id)?.some((read) => read !== content)).map(([id]) => id),
    repeated: [...readable.values()].reduce((sum, copies) => sum + copies.length - 1, 0),
    seconds: Math.round((performance.now() - startedAt) / 1_000),
  };
}

/** What is still missing when nothing has come for a while: Baileys asks for one message at a time, four a second. */
async function restAfter(missing: () => string[]): Promise<string[]> {
  let rest = missing();
  let lastChange = performance.now();
  while (rest.length > 0 && performance.now() - lastChange < SILENCE_MS) {
    await pause(LOOK_EVERY_MS);
    const now = missing();
    if (now.length !== rest.length) lastChange = performance.now();
    rest = now;
  }
  return rest;
}

/** Comes back whenever the connection has ended. */
async function keepConnected(side: Side): Promise<void> {
  while (!side.isEnding) {
    if (!side.client.isOpen) await side.client.connect().catch(() => {});
    await pause(5);
  }
}

async function writeAll(
  world: World,
  course: { from: Side; to: Side; each: number; mishaps: Record<string, number>; sent: Map<string, string> },
): Promise<void> {
  const { from, to, each, mishaps, sent } = course;
  const chat = `${to.phone}@s.whatsapp.net`;
  let earlier: WAMessageKey | undefined;
  for (let i = 1; i <= each; i++) {
    for (const [mishap, every] of Object.entries(EVERY)) {
      if (i % every !== 0) continue;
      mishaps[mishap] = (mishaps[mishap] ?? 0) + 1;
      await strike(world, mishap, i % (2 * every) === 0 ? from : to);
    }
    const id = `${from.phone}A${String(i).padStart(6, "0")}`;
    const content = contentOf(i, earlier);
    await writeUntilAcknowledged(from.client, chat, content, id);
    sent.set(id, describe(content));
    earlier ??= { remoteJid: chat, fromMe: true, id };
  }
}

async function writeUntilAcknowledged(
  client: BaileysClient,
  chat: string,
  content: AnyMessageContent,
  messageId: string,
): Promise<void> {
  const isAcknowledged = () => client.acks.some(({ id, error }) => id === messageId && error === undefined);
  while (!isAcknowledged()) {
    await until(() => client.isOpen);
    const ends = client.closes.length;
    // Not awaited: when an application ends a connection itself, Baileys leaves what is under way on it hanging for 60 s.
    client.send(chat, content, { messageId }).catch(() => {});
    const deadline = Date.now() + ACK_TIMEOUT_MS;
    while (!isAcknowledged() && client.closes.length === ends && Date.now() < deadline) await pause(2);
  }
}

async function strike(world: World, mishap: string, { client, phone }: Side): Promise<void> {
  const order = (fault: string, match: object, details: object = {}) =>
    world.post("/faults", { match: { phone, ...match }, fault, count: 1, ...details });
  if (mishap === "corrupt") await order("corrupt-message", { device: 1 });
  else if (mishap === "reconnect") await client.end();
  else if (mishap === "slow") await order("slow", {}, { delayMs: 200 });
  else await order(mishap, {});
}

/** One kind of message after the other. */
function contentOf(i: number, earlier: WAMessageKey | undefined): AnyMessageContent {
  const kinds: AnyMessageContent[] = [
    { text: `text ${i}` },
    { text: `a link to https://example.com/${i}`, linkPreview: null },
    { location: { degreesLatitude: i % 90, degreesLongitude: 7 } },
    {
      contacts: {
        displayName: `Contact ${i}`,
        contacts: [{ displayName: `Contact ${i}`, vcard: `BEGIN:VCARD\nFN:Contact ${i}\nEND:VCARD` }],
      },
    },
    { poll: { name: `Poll ${i}`, values: ["yes", "no"], selectableCount: 1 } },
    { document: PICTURE, mimetype: "text/plain", fileName: `file-${i}.txt` },
  ];
  if (earlier) kinds.push({ react: { text: "👍", key: earlier } }, { text: `edited ${i}`, edit: earlier });
  return kinds[i % kinds.length] ?? { text: `text ${i}` };
}

function describe(content: AnyMessageContent): string {
  if ("edit" in content && content.edit) return `edit ${content.edit.id}: ${"text" in content ? content.text : ""}`;
  if ("text" in content) return content.text;
  if ("location" in content) return `location ${content.location.degreesLatitude}`;
  if ("contacts" in content) return `contact ${content.contacts.displayName}`;
  if ("poll" in content) return `poll ${content.poll.name}`;
  if ("document" in content) return `document ${content.fileName}`;
  return "react" in content ? `reaction to ${content.react.key?.id}` : "something else";
}

/** What a client could read, by id, however often. */
function collectReadable({ received }: BaileysClient, readable: Map<string, string[]>): void {
  for (const { key, message } of received) {
    if (!key.id || key.fromMe || !message) continue;
    readable.set(key.id, [...(readable.get(key.id) ?? []), read(message)]);
  }
}

function read(message: proto.IMessage): string {
  const edit = message.editedMessage?.message?.protocolMessage ?? message.protocolMessage;
  if (edit) return `edit ${edit.key?.id}: ${textOf(edit.editedMessage ?? {})}`;
  const text = textOf(message);
  if (text) return text;
  if (message.locationMessage) return `location ${message.locationMessage.degreesLatitude}`;
  if (message.contactMessage) return `contact ${message.contactMessage.displayName}`;
  const poll = message.pollCreationMessage ?? message.pollCreationMessageV3;
  if (poll) return `poll ${poll.name}`;
  if (message.documentMessage) return `document ${message.documentMessage.fileName}`;
  return message.reactionMessage ? `reaction to ${message.reactionMessage.key?.id}` : JSON.stringify(message);
}

function textOf({ conversation, extendedTextMessage }: proto.IMessage): string {
  return conversation ?? extendedTextMessage?.text ?? "";
}
