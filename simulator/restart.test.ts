import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startSimulator } from "./server.ts";
import { until } from "./testing/until.ts";
import { ALICE, BOB, World } from "./testing/world.ts";

const PICTURE = Buffer.from("any picture").toString("base64");

let dataDir: string;
let world: World;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "simulator-"));
  world = await World.start({ dataDir });
});
afterEach(async () => {
  await world.dispose();
  await rm(dataDir, { recursive: true });
});

async function restart(): Promise<void> {
  await world.simulator.dispose();
  world.simulator = await startSimulator({ dataDir });
}

test("a linked device logs in again after a restart, and texts go both ways in their old sessions", async () => {
  const client = await world.linked(ALICE);
  await client.sendText(BOB, "before");
  await world.inbox(BOB, 1);
  const quoted = await world.write(BOB, ALICE, "also before");
  await until(() => client.texts().length === 1);
  await world.settled(ALICE);
  const { rootPublicKey } = world.simulator;
  await restart();
  expect(world.simulator.rootPublicKey).toBe(rootPublicKey);
  const again = world.client(client);
  await again.connect();
  expect(again.closes).toEqual([]);
  await again.sendText(BOB, "after");
  await world.inbox(BOB, 2);
  const { body } = await world.post(`/phones/${BOB}/messages`, { to: ALICE, text: "also after", replyTo: quoted });
  await until(() => again.texts().some(({ id }) => id === body.id));
  expect(await world.inbox(BOB, 2)).toMatchObject([
    { n: 1, text: "before" },
    { n: 2, text: "after" },
  ]);
  const { undecryptable, retryReceipts } = await world.stats();
  expect({ undecryptable, retryReceipts }).toEqual({
    undecryptable: 0,
    retryReceipts: { fromPhones: 0, fromDevices: 0 },
  });
});

test("what waits for a device or for a phone waits over a restart", async () => {
  const client = await world.linked(ALICE);
  await world.put(`/phones/${BOB}/settings`, { online: false, autoRead: true });
  const toBob = await client.sendText(BOB, "for Bob");
  await until(() => client.acks.some(({ id }) => id === toBob));
  await client.end();
  const toAlice = await world.write(await world.person(), ALICE, "for Alice");
  await restart();
  expect((await world.phone(BOB)).settings).toEqual({
    autoDelivered: true,
    autoRead: true,
    online: false,
    presence: "available",
  });
  const again = world.client(client);
  await again.connect();
  await until(() => again.texts().some(({ id }) => id === toAlice));
  await world.put(`/phones/${BOB}/settings`, { online: true });
  expect(await world.inbox(BOB, 1)).toMatchObject([{ id: toBob }]);
});

test("groups, app state, profiles, block lists, history and media survive a restart", async () => {
  const client = await world.linked(ALICE);
  const chat = `${BOB}@s.whatsapp.net`;
  const { body: group } = await world.post(`/phones/${ALICE}/groups`, { subject: "Ours", participants: [BOB] });
  await client.socket.chatModify({ pin: true }, chat);
  await client.socket.updateProfileStatus("Here to stay");
  await client.socket.updateLastSeenPrivacy("none");
  await client.socket.sendMessage(chat, { text: "hello" });
  await client.socket.updateBlockStatus(chat, "block");
  await world.put(`/phones/${BOB}/settings`, { picture: PICTURE, about: "Bob" });
  const messages = [{ fromMe: false, text: "long ago", timestamp: 1_700_000_000 }];
  await world.post(`/phones/${ALICE}/history`, { conversations: [{ with: BOB, messages }] });
  await world.settled(ALICE);
  await restart();
  const again = world.client(client);
  await again.connect();
  expect(Object.values(await again.socket.groupFetchAllParticipating())).toMatchObject([
    { id: group.id, subject: "Ours" },
  ]);
  expect(await again.socket.fetchStatus(again.jid)).toMatchObject([{ status: { status: "Here to stay" } }]);
  expect(await again.socket.fetchPrivacySettings(true)).toMatchObject({ last: "none" });
  expect(await again.socket.fetchBlocklist()).toHaveLength(1);
  const { pathname } = new URL((await again.socket.profilePictureUrl(chat)) ?? "");
  const picture = await fetch(world.simulator.url + pathname);
  expect(Buffer.from(await picture.arrayBuffer()).toString("base64")).toBe(PICTURE);
  const second = world.client();
  const log = { chats: [] as string[] };
  second.onConnect = (socket) => {
    socket.ev.on("messaging-history.set", ({ chats }) => log.chats.push(...chats.map(({ id }) => id ?? "")));
  };
  await second.link(ALICE);
  expect(second.auth.creds.accountSyncCounter).toBe(1);
  await until(() => log.chats.length > 0);
  expect(log.chats).toEqual([chat]);
  await again.socket.chatModify({ pin: false }, chat);
});

test("what was reset stays forgotten", async () => {
  const client = await world.linked(ALICE);
  await world.post("/reset");
  await until(() => client.closes.includes(428));
  await restart();
  expect((await world.get("/phones")).body).toEqual([]);
  const again = world.client(client);
  await again.connect();
  expect(again.closes).toEqual([401]);
});
