import type { BinaryNode, ChatUpdate, Contact } from "@whiskeysockets/baileys";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { until } from "../testing/until.ts";
import { ALICE, World } from "../testing/world.ts";
import { child, children } from "../wire/node.ts";

let world: World;
let alice: BaileysClient;
/** Another device of Alice's. */
let desk: BaileysClient;
let chat: string;

beforeAll(async () => {
  world = await World.start();
  alice = await world.linked(ALICE);
  desk = await world.linked(ALICE);
});
beforeEach(async () => {
  chat = `${await world.person()}@s.whatsapp.net`;
});
afterAll(() => world.dispose());

function collect<T>(client: BaileysClient, event: Parameters<BaileysClient["socket"]["ev"]["on"]>[0]): T[] {
  const events: T[] = [];
  client.socket.ev.on(event, (value: unknown) => events.push(...([value].flat() as T[])));
  return events;
}

describe("what one device changes reaches the other", () => {
  test.each([
    ["archived", { archive: true, lastMessages: [] }, { archived: true }],
    ["pinned", { pin: true }, { pinned: expect.any(Number) }],
    ["muted", { mute: 1_900_000_000_000 }, { muteEndTime: 1_900_000_000_000 }],
    ["marked as unread", { markRead: false, lastMessages: [] }, { unreadCount: -1 }],
  ])("a chat that is %s", async (_what, modification, expected) => {
    const seen = collect<ChatUpdate>(desk, "chats.update");
    await alice.socket.chatModify(modification, chat);
    await until(() => seen.some(({ id }) => id === chat));
    const update = seen.find(({ id }) => id === chat);
    expect({ ...update, muteEndTime: Number(update?.muteEndTime) || undefined }).toMatchObject(expected);
  });

  test("a contact's name", async () => {
    const seen = collect<Contact>(desk, "contacts.upsert");
    await alice.socket.addOrEditContact(chat, { fullName: "Zoe Zebra", firstName: "Zoe" });
    await until(() => seen.length > 0);
    expect(seen).toMatchObject([{ id: chat, name: "Zoe Zebra" }]);
  });

  test("labels", async () => {
    const labels = collect<{ id: string; name: string }>(desk, "labels.edit");
    const marks = collect<{ type: string; association: { chatId: string; labelId: string } }>(
      desk,
      "labels.association",
    );
    await alice.socket.addLabel(chat, { id: "7", name: "Important", color: 3 });
    await alice.socket.addChatLabel(chat, "7");
    await until(() => labels.length > 0 && marks.length > 0);
    expect(labels).toMatchObject([{ id: "7", name: "Important" }]);
    expect(marks).toMatchObject([{ type: "add", association: { chatId: chat, labelId: "7" } }]);
  });

  test("in both directions, one after the other", async () => {
    const here = collect<ChatUpdate>(alice, "chats.update");
    const there = collect<ChatUpdate>(desk, "chats.update");
    await alice.socket.chatModify({ pin: true }, chat);
    await until(() => there.some(({ id }) => id === chat));
    await desk.socket.chatModify({ pin: false }, chat);
    await until(() => here.some(({ id, pinned }) => id === chat && pinned === null));
  });
});

describe("what a person does on the phone reaches the devices", () => {
  const act = async (change: object) => {
    const [number] = chat.split("@");
    const { status, body } = await world.post(`/phones/${ALICE}/app-state`, { chat: number, ...change });
    expect([status, body]).toEqual([200, {}]);
  };
  const known = async () => (await world.get(`/phones/${ALICE}/app-state`)).body as unknown as object[];

  test.each([
    ["archived", { archive: true }, { archived: true }],
    ["pinned", { pin: true }, { pinned: expect.any(Number) }],
    ["muted", { mute: 1_900_000_000 }, { muteEndTime: 1_900_000_000_000 }],
    ["marked as read", { read: true }, { unreadCount: 0 }],
    ["marked as unread", { read: false }, { unreadCount: -1 }],
  ])("a chat that is %s", async (_what, change, expected) => {
    const [here, there] = [collect<ChatUpdate>(alice, "chats.update"), collect<ChatUpdate>(desk, "chats.update")];
    await act(change);
    for (const seen of [here, there]) {
      await until(() => seen.some(({ id }) => id === chat));
      const update = seen.find(({ id }) => id === chat);
      expect({ ...update, muteEndTime: Number(update?.muteEndTime) || undefined }).toMatchObject(expected);
    }
  });

  test("a contact's name, and that there is none any more", async () => {
    const seen = collect<Contact>(desk, "contacts.upsert");
    await act({ contact: { name: "Yves Yak", firstName: "Yves" } });
    await until(() => seen.some(({ id, name }) => id === chat && name === "Yves Yak"));
    const entry = { index: ["contact", chat], value: { contactAction: { fullName: "Yves Yak", firstName: "Yves" } } };
    expect(await known()).toContainEqual(
      expect.objectContaining({ ...entry, value: expect.objectContaining(entry.value) }),
    );
    await act({ contact: null });
    expect(await known()).not.toContainEqual(expect.objectContaining({ index: ["contact", chat] }));
  });

  test("labels, and the chats that have them", async () => {
    const labels = collect<{ id: string; name: string }>(desk, "labels.edit");
    const marks = collect<{ type: string; association: { chatId: string } }>(desk, "labels.association");
    await act({ chat: undefined, label: { id: "9", name: "Later", color: 2 } });
    await act({ addLabel: "9" });
    await act({ removeLabel: "9" });
    await until(() => labels.length > 0 && marks.length > 1);
    expect(labels).toMatchObject([{ id: "9", name: "Later" }]);
    expect(marks.map(({ type }) => type)).toEqual(["add", "remove"]);
  });

  test("by turns with what the devices do, which the phone knows as well", async () => {
    const seen = collect<ChatUpdate>(alice, "chats.update");
    await alice.socket.chatModify({ pin: true }, chat);
    expect(await known()).toContainEqual({
      index: ["pin_v1", chat],
      value: { timestamp: expect.anything(), pinAction: { pinned: true } },
    });
    await act({ pin: false });
    await until(() => seen.some(({ id, pinned }) => id === chat && pinned === null));
    await alice.socket.chatModify({ archive: true, lastMessages: [] }, chat);
    expect(await known()).toContainEqual(
      expect.objectContaining({ value: expect.objectContaining({ archiveChatAction: expect.anything() }) }),
    );
  });

  test("under MACs that a client may check", async () => {
    const strict = await world.linked(ALICE);
    await strict.connectAgain({ appStateMacVerification: { patch: true, snapshot: true } });
    const seen = collect<ChatUpdate>(strict, "chats.update");
    await act({ pin: true });
    await until(() => seen.some(({ id }) => id === chat));
  });
});

test("a device that was away finds what it missed", async () => {
  await desk.end();
  await alice.socket.chatModify({ pin: true }, chat);
  desk = world.client(desk);
  const connecting = desk.connect();
  const seen = collect<ChatUpdate>(desk, "chats.update");
  await connecting;
  await until(() => seen.some(({ id }) => id === chat));
});

test("a device that is linked later gets all of it, as patches, or as a snapshot if there were many", async () => {
  const carol = await world.person();
  const first = await world.linked(carol);
  const rename = (phone: string, fullName: string) =>
    first.socket.addOrEditContact(`${phone}@s.whatsapp.net`, { fullName });
  await rename("15550001001", "One");
  await rename("15550001002", "Two");
  const second = world.client();
  const few = watchNames(second);
  await second.link(carol);
  expect(few()).toEqual(["One", "Two"]);
  for (let i = 0; i < 110; i++) await rename("15550001002", `Two, no. ${i}`);
  await first.socket.removeContact("15550001001@s.whatsapp.net");
  const third = world.client();
  const many = watchNames(third);
  await third.link(carol);
  expect(many()).toEqual(["Two, no. 109"]);
  const seen = collect<Contact>(first, "contacts.upsert");
  await third.socket.addOrEditContact(chat, { fullName: "Three" });
  await until(() => seen.some(({ name }) => name === "Three"));
}, 90_000);

test("a patch on an old version is refused with 409 and what it lacks", async () => {
  await alice.socket.chatModify({ pin: true }, chat);
  const patch = { tag: "patch", attrs: {}, content: Buffer.alloc(0) };
  const attrs = { name: "regular_low", version: "0", return_snapshot: "false" };
  const answer: BinaryNode = await desk.socket.query({
    tag: "iq",
    attrs: { to: "@s.whatsapp.net", type: "set", xmlns: "w:sync:app:state" },
    content: [{ tag: "sync", attrs: {}, content: [{ tag: "collection", attrs, content: [patch] }] }],
  });
  const collection = child(child(answer, "sync"), "collection");
  expect(collection?.attrs).toMatchObject({ name: "regular_low", type: "error" });
  expect(child(collection, "error")?.attrs["code"]).toBe("409");
  expect(children(child(collection, "patches"), "patch").length).toBeGreaterThan(0);
});

/** The latest names of the contacts that a client learns of, whenever it connects. */
function watchNames(client: BaileysClient): () => (string | undefined)[] {
  const names = new Map<string, string | undefined>();
  client.onConnect = (socket) => {
    socket.ev.on("contacts.upsert", (contacts) => {
      for (const { id, name } of contacts) names.set(id, name);
    });
  };
  return () => [...names.values()];
}
