import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { proto, type BaileysEventMap } from "@whiskeysockets/baileys";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startSimulator } from "../server.ts";
import { BaileysClient } from "../testing/baileys-client.ts";
import { EventLog } from "../testing/event-log.ts";
import { until } from "../testing/until.ts";
import { World } from "../testing/world.ts";

type Given = BaileysEventMap["messaging-history.set"];

let world: World;
/** Two people who have not met the others. */
let alice: string;
let bob: string;

beforeAll(async () => {
  world = await World.start();
});
beforeEach(async () => {
  [alice, bob] = [await world.person(), await world.person()];
});
afterAll(() => world.dispose());

const pn = (phone: string) => `${phone}@s.whatsapp.net`;

/** `count` texts, taking turns, one a minute, the first at this time. */
function texts(count: number, timestamp = 1_700_000_000) {
  return Array.from({ length: count }, (_, i) => ({
    fromMe: i % 2 === 1,
    text: `text ${i}`,
    timestamp: timestamp + 60 * i,
    id: `OLD${i}`,
  }));
}

async function link(phone: string): Promise<{ client: BaileysClient; events: EventLog }> {
  const client = world.client();
  const events = new EventLog(client);
  await client.link(phone);
  return { client, events };
}

function given(events: EventLog, type: keyof typeof proto.HistorySync.HistorySyncType): Given[] {
  return events
    .all("messaging-history.set")
    .filter(({ syncType }) => syncType === proto.HistorySync.HistorySyncType[type]);
}

/** Baileys may hand over several histories as one, under the type of the last. */
function allMessages(events: EventLog) {
  return events.all("messaging-history.set").flatMap(({ messages }) => messages);
}

describe("a device that is linked later", () => {
  test("is given the chats, with texts, times, authors, names and LIDs", async () => {
    const { body } = await world.post(`/phones/${alice}/history`, {
      conversations: [{ with: bob, messages: texts(4) }],
    });
    expect(body).toEqual({ messages: 4 });
    const { client, events } = await link(alice);
    await until(() => allMessages(events).length === 4);
    const messages = [...allMessages(events)].sort((a, b) => Number(a.messageTimestamp) - Number(b.messageTimestamp));
    expect(
      messages.map(({ key, message, messageTimestamp }) => [key, message?.conversation, Number(messageTimestamp)]),
    ).toEqual(
      texts(4).map(({ id, fromMe, text, timestamp }) => [
        expect.objectContaining({ remoteJid: pn(bob), id, fromMe }),
        text,
        timestamp,
      ]),
    );
    const histories = events.all("messaging-history.set");
    expect(histories.flatMap(({ chats }) => chats.map(({ id }) => id))).toContain(pn(bob));
    await until(() =>
      events
        .all("messaging-history.set")
        .some(({ contacts }) => contacts.some(({ id, notify }) => id === pn(bob) && notify === `Phone ${bob}`)),
    );
    const { lid } = await world.phone(bob);
    const known = await client.socket.signalRepository.lidMapping.getLIDForPN(pn(bob));
    expect(known).toBe(`${lid}@lid`);
  });

  test("is given what was really written and received, too, edits and reactions left out", async () => {
    const early = await link(alice);
    await early.client.sendText(bob, "from the first device");
    const [received] = await world.inbox(bob, 1);
    await world.write(bob, alice, "from Bob");
    await world.post(`/phones/${bob}/messages`, { to: alice, reaction: { messageId: received?.id, emoji: "!" } });
    await until(async () => (await world.inbox(alice)).length === 3);
    const late = await link(alice);
    await until(() => allMessages(late.events).length === 2);
    expect(
      allMessages(late.events).map(({ key, message }) => [
        key.fromMe,
        message?.conversation ?? message?.extendedTextMessage?.text,
      ]),
    ).toEqual(
      expect.arrayContaining([
        [true, "from the first device"],
        [false, "from Bob"],
      ]),
    );
  });

  test("is given groups, with whoever wrote", async () => {
    const group = await world.group(bob, "Old friends", [alice]);
    const messages = [
      { fromMe: false, from: bob, text: "remember?", timestamp: 1_700_000_000 },
      { fromMe: true, text: "I do", timestamp: 1_700_000_060 },
    ];
    await world.post(`/phones/${alice}/history`, { conversations: [{ with: group, messages }] });
    const { events } = await link(alice);
    await until(() => allMessages(events).length === 2);
    const { lid } = await world.phone(bob);
    const theirs = allMessages(events).find(({ key }) => !key.fromMe);
    expect(theirs?.key).toMatchObject({ remoteJid: group, participant: `${lid}@lid` });
    const chats = events.all("messaging-history.set").flatMap((history) => history.chats);
    expect(chats).toContainEqual(expect.objectContaining({ id: group, name: "Old friends" }));
  });

  test("gets a large history in chunks, by way of the media host, the latest messages first", async () => {
    const count = 6_000;
    const long = texts(count).map((each) => ({ ...each, text: `${each.text} ${Math.random()} ${Math.random()}` }));
    await world.post(`/phones/${alice}/history`, { conversations: [{ with: bob, messages: long }] });
    const { events } = await link(alice);
    await until(() => new Set(allMessages(events).map(({ key }) => key.id)).size === count);
    expect(allMessages(events).length).toBe(count);
    const [first] = given(events, "INITIAL_BOOTSTRAP");
    if (first) expect(first.messages.map(({ key }) => key.id)).toContain(`OLD${count - 1}`);
    await events.find("messaging-history.status", ({ status }) => status === "complete");
    const { body } = await world.get(`/trace?phone=${alice}&since=0`);
    const sizes = JSON.stringify(body).match(/(\d+) bytes/g) ?? [];
    expect(Math.max(...sizes.map((size) => Number.parseInt(size, 10)))).toBeLessThan(100_000);
  });

  test("is told nothing while a fault says so", async () => {
    await world.post(`/phones/${alice}/history`, { conversations: [{ with: bob, messages: texts(2) }] });
    const { body } = await world.post("/faults", { match: { phone: alice }, fault: "no-history" });
    const client = world.client();
    const events = new EventLog(client);
    await client.connect();
    expect((await world.post(`/phones/${alice}/scan`, { qr: client.qr })).status).toBe(200);
    await until(() => client.closes.includes(515));
    await client.connect();
    await world.settled(alice);
    expect(events.all("messaging-history.set")).toEqual([]);
    expect(client.auth.creds.accountSyncCounter).toBe(0);
    await world.delete(`/faults/${body.id}`);
  });
});

describe("on request", () => {
  test("a phone tells what came before a message", async () => {
    const { client, events } = await link(alice); // Baileys leaves out what it was given before, so it is linked first
    await world.post(`/phones/${alice}/history`, { conversations: [{ with: bob, messages: texts(30) }] });
    const key = { remoteJid: pn(bob), id: "OLD20", fromMe: false };
    const requestId = await client.socket.fetchMessageHistory(5, key, 1_700_000_000 + 60 * 20);
    const answer = await events.find(
      "messaging-history.set",
      ({ peerDataRequestSessionId }) => peerDataRequestSessionId === requestId,
    );
    expect(answer.syncType).toBe(proto.HistorySync.HistorySyncType.ON_DEMAND);
    expect(answer.messages.map((each) => each.key.id)).toEqual(["OLD19", "OLD18", "OLD17", "OLD16", "OLD15"]);
  });

  test("page after page brings everything once, in LID chats as well", async () => {
    const { client, events } = await link(alice);
    await world.post(`/phones/${alice}/history`, { conversations: [{ with: bob, messages: texts(25) }] });
    const { lid } = await world.phone(bob);
    const seen: string[] = [];
    let oldest = { id: "OLD25", at: 1_700_000_000 + 60 * 25 };
    for (let page = 0; page < 4; page++) {
      const key = { remoteJid: page % 2 === 0 ? pn(bob) : `${lid}@lid`, id: oldest.id, fromMe: false };
      const requestId = await client.socket.fetchMessageHistory(10, key, oldest.at);
      const answer = await events.find("messaging-history.set", (each) => each.peerDataRequestSessionId === requestId);
      seen.push(...answer.messages.map((each) => each.key.id ?? ""));
      const last = answer.messages.at(-1);
      if (last) oldest = { id: last.key.id ?? "", at: Number(last.messageTimestamp) };
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, at) => `OLD${24 - at}`));
  });

  test("it goes by the time if the message is unknown, and answers with nothing if there is no more", async () => {
    const { client, events } = await link(alice);
    await world.post(`/phones/${alice}/history`, { conversations: [{ with: bob, messages: texts(3) }] });
    const key = { remoteJid: pn(bob), id: "NEVERSEEN", fromMe: false };
    for (const [at, expected] of [
      [1_700_000_070, ["OLD1", "OLD0"]],
      [1_600_000_000, []],
    ] as const) {
      const requestId = await client.socket.fetchMessageHistory(10, key, at * 1_000);
      const answer = await events.find("messaging-history.set", (each) => each.peerDataRequestSessionId === requestId);
      expect(answer.messages.map((each) => each.key.id)).toEqual(expected);
    }
  });

  test("a phone gives a message again that a device did not get", async () => {
    const { client } = await link(alice);
    const id = await world.write(bob, alice, "lost on the way");
    await client.message(id);
    const before = client.received.length;
    await client.socket.requestPlaceholderResend({ remoteJid: pn(bob), id, fromMe: false });
    await until(() => client.received.length > before);
    expect(client.received.at(-1)).toMatchObject({ key: { id }, message: { conversation: "lost on the way" } });
  });

  test("it keeps silent while a fault says so", async () => {
    await world.post(`/phones/${alice}/history`, { conversations: [{ with: bob, messages: texts(3) }] });
    const { client, events } = await link(alice);
    await until(() => allMessages(events).length === 3);
    events.clear();
    await world.post("/faults", { match: { phone: alice, device: 1 }, fault: "no-history", count: 1 });
    const key = { remoteJid: pn(bob), id: "OLD2", fromMe: false };
    const silent = await client.socket.fetchMessageHistory(1, key, 0);
    const answered = await client.socket.fetchMessageHistory(2, key, 0);
    await events.find("messaging-history.set", (each) => each.peerDataRequestSessionId === answered);
    expect(events.all("messaging-history.set").some((each) => each.peerDataRequestSessionId === silent)).toBe(false);
  });
});

test("histories, groups and sender keys survive a restart", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "simulator-"));
  const lasting = await World.start({ dataDir });
  try {
    const [carol, dave] = [await lasting.person(), await lasting.person()];
    const group = await lasting.group(carol, "Lasting", [dave]);
    const client = await lasting.linked(dave);
    await client.message(await lasting.write(carol, group, "before"));
    await client.send(group, { text: "before, too" });
    await lasting.inbox(carol, 1);
    await lasting.post(`/phones/${carol}/history`, { conversations: [{ with: dave, messages: texts(3) }] });
    await lasting.settled(dave);
    await lasting.simulator.dispose();
    lasting.simulator = await startSimulator({ dataDir });
    const again = lasting.client(client);
    await again.connect();
    await again.message(await lasting.write(carol, group, "after"));
    await again.send(group, { text: "after, too" });
    expect((await lasting.inbox(carol, 2)).at(-1)).toMatchObject({ chat: group, text: "after, too" });
    const { undecryptable, retryReceipts } = await lasting.stats();
    expect([undecryptable, retryReceipts]).toEqual([0, { fromPhones: 0, fromDevices: 0 }]);
    const late = lasting.client();
    const events = new EventLog(late);
    await late.link(carol);
    await until(() => allMessages(events).length >= 3);
    expect(allMessages(events).map(({ key }) => key.id)).toEqual(expect.arrayContaining(["OLD0", "OLD1", "OLD2"]));
  } finally {
    await lasting.dispose();
    await rm(dataDir, { recursive: true, force: true });
  }
});
