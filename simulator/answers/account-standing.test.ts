import { proto } from "@whiskeysockets/baileys";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { EventLog } from "../testing/event-log.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";

let world: World;
let alice: BaileysClient;
let log: EventLog;

beforeAll(async () => {
  world = await World.start();
  alice = world.client();
  log = new EventLog(alice);
  await alice.link(ALICE);
});
afterAll(() => world.dispose());

async function change(settings: object): Promise<void> {
  expect((await world.put(`/phones/${ALICE}/settings`, settings)).status).toBe(200);
}

/** Baileys puts a refusal that comes at once into the message's own event. */
function statusesOf(id: string) {
  const updates = log.all("messages.update").flatMap((all) => all.map(({ key, update }) => ({ key, ...update })));
  const messages = log.all("messages.upsert").flatMap(({ messages: all }) => all);
  return [...updates, ...messages].filter(({ key }) => key.id === id).map(({ status }) => status);
}

test("an account may start chats, until it may not; its clients are told, and may ask", async () => {
  expect(await alice.socket.fetchAccountReachoutTimelock()).toEqual({ isActive: false, enforcementType: "DEFAULT" });
  const until = Math.floor(Date.now() / 1000) + 3_600;
  await change({ restriction: { type: "BIZ_QUALITY", until } });
  const restricted = { isActive: true, timeEnforcementEnds: new Date(until * 1000), enforcementType: "BIZ_QUALITY" };
  await log.find("connection.update", ({ reachoutTimeLock }) => reachoutTimeLock?.isActive === true);
  expect(await alice.socket.fetchAccountReachoutTimelock()).toEqual(restricted);
  await change({ restriction: null });
  expect(await alice.socket.fetchAccountReachoutTimelock()).toEqual({ isActive: false, enforcementType: "DEFAULT" });
});

test("how many chats an account may start is told as well", async () => {
  expect(await alice.socket.fetchNewChatMessageCap()).toMatchObject({ capping_status: "NONE" });
  await change({ newChats: { quota: 100, used: 97, status: "SECOND_WARNING", cycleEnd: 1_900_000_000 } });
  const cap = { total_quota: 100, used_quota: 97, capping_status: "SECOND_WARNING", cycle_end_timestamp: "1900000000" };
  expect(await log.find("message-capping.update", () => true)).toMatchObject(cap);
  expect(await alice.socket.fetchNewChatMessageCap()).toMatchObject(cap);
});

test("a message that is refused for it fails with 463, and Baileys says so", async () => {
  await change({ restriction: { type: "WEB_COMPANION_ONLY" } });
  await world.post("/faults", { match: { phone: ALICE }, fault: "ack-error", code: 463, count: 1 });
  const id = await alice.sendText(BOB, "hello, stranger");
  await until(() => alice.acks.some((ack) => ack.id === id && ack.error === "463"));
  await until(() => statusesOf(id).includes(proto.WebMessageInfo.Status.ERROR));
  expect(await alice.socket.fetchAccountReachoutTimelock()).toMatchObject({
    isActive: true,
    enforcementType: "WEB_COMPANION_ONLY",
  });
});

test("who hides the number is known by LID alone: in messages, in groups, in calls", async () => {
  const carol = await world.person();
  const { lid } = await world.phone(carol);
  await world.put(`/phones/${carol}/settings`, { numberHidden: true });
  const message = await alice.message(await world.write(carol, ALICE, "guess who"));
  expect(message.key).toMatchObject({ remoteJid: `${lid}@lid`, remoteJidAlt: undefined });
  const group = await world.group(BOB, "With a stranger", [ALICE, carol]);
  const inGroup = await alice.message(await world.write(carol, group, "guess again"));
  expect(inGroup.key).toMatchObject({ participant: `${lid}@lid`, participantAlt: undefined });
  const { participants } = await alice.socket.groupMetadata(group);
  expect(participants.find(({ id }) => id === `${lid}@lid`)).toMatchObject({ phoneNumber: undefined });
  await world.post(`/phones/${carol}/calls`, { to: ALICE });
  expect(await log.find("call", () => true)).toMatchObject([{ chatId: `${lid}@lid`, callerPn: undefined }]);
  await alice.send(`${lid}@lid`, { text: "who are you?" });
  expect(await world.inbox(carol, 1)).toMatchObject([{ from: ALICE, chat: ALICE, text: "who are you?" }]);
});
