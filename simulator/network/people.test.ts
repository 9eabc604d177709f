import type { PresenceData } from "@whiskeysockets/baileys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";

const PNG_BASE64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const PNG = Buffer.from(PNG_BASE64, "base64");
const NOBODY = "19998887777";

let world: World;
let alice: BaileysClient;
/** A second device of Alice's. */
let desk: BaileysClient;
let bob: BaileysClient;

beforeAll(async () => {
  world = await World.start();
  alice = await world.linked(ALICE);
  desk = await world.linked(ALICE);
  bob = await world.linked(BOB);
});
afterAll(() => world.dispose());

const jid = (phone: string) => `${phone}@s.whatsapp.net`;

/** Collects what one kind of event brings from now on. */
function collect<T>(client: BaileysClient, event: Parameters<BaileysClient["socket"]["ev"]["on"]>[0]): T[] {
  const events: T[] = [];
  client.socket.ev.on(event, (value: unknown) => events.push(value as T));
  return events;
}

function change(phone: string, settings: object) {
  return world.put(`/phones/${phone}/settings`, settings);
}

describe("who is on WhatsApp", () => {
  test("is known by number, and whoever is not is left out", async () => {
    expect(await alice.socket.onWhatsApp(jid(BOB), jid(NOBODY))).toEqual([{ jid: jid(BOB), exists: true }]);
  });

  test("has a LID that goes with the number", async () => {
    const { lid } = await world.phone(BOB);
    expect(await alice.socket.signalRepository.lidMapping.getLIDForPN(jid(BOB))).toBe(`${lid}@lid`);
  });
});

describe("a profile", () => {
  test("has no picture at first, then the one that was set, then none again; others hear of it", async () => {
    await alice.sendText(BOB, "who are you?");
    const seen = collect<{ imgUrl?: string }[]>(alice, "contacts.update");
    await expect(alice.socket.profilePictureUrl(jid(BOB))).rejects.toThrow("item-not-found");
    await bob.socket.updateProfilePicture(bob.jid, PNG);
    const url = await alice.socket.profilePictureUrl(jid(BOB), "image");
    const { pathname } = new URL(url ?? "");
    const picture = await fetch(world.simulator.url + pathname);
    expect([picture.status, Buffer.from(await picture.arrayBuffer()).subarray(0, 2)]).toEqual([
      200,
      Buffer.from([0xff, 0xd8]),
    ]);
    await bob.socket.removeProfilePicture(bob.jid);
    await expect(alice.socket.profilePictureUrl(jid(BOB))).rejects.toThrow("item-not-found");
    await until(() => seen.flat().some(({ imgUrl }) => imgUrl === "removed"));
    expect(seen.flat().filter(({ imgUrl }) => imgUrl)).toMatchObject([{ imgUrl: "changed" }, { imgUrl: "removed" }]);
  });

  test("can be changed on the phone", async () => {
    const carol = await world.person();
    await change(carol, { picture: PNG_BASE64, about: "Busy" });
    const { pathname } = new URL((await alice.socket.profilePictureUrl(jid(carol))) ?? "");
    expect(Buffer.from(await (await fetch(world.simulator.url + pathname)).arrayBuffer())).toEqual(PNG);
    expect(await alice.socket.fetchStatus(jid(carol))).toMatchObject([{ status: { status: "Busy" } }]);
    await change(carol, { picture: null });
    await expect(alice.socket.profilePictureUrl(jid(carol))).rejects.toThrow("item-not-found");
  });

  test("shows its text to all, until its owner shows it to nobody, and the picture likewise", async () => {
    await bob.socket.updateProfileStatus("At work");
    expect(await alice.socket.fetchStatus(jid(BOB))).toMatchObject([{ status: { status: "At work" } }]);
    await bob.socket.updateProfilePicture(bob.jid, PNG);
    await bob.socket.updateStatusPrivacy("none");
    await bob.socket.updateProfilePicturePrivacy("none");
    expect(await alice.socket.fetchStatus(jid(BOB))).toMatchObject([{ status: { status: "" } }]);
    await expect(alice.socket.profilePictureUrl(jid(BOB))).rejects.toThrow("not-authorized");
    expect(await bob.socket.profilePictureUrl(jid(BOB))).toContain("https://");
  });

  test("of a business tells more", async () => {
    expect(await alice.socket.getBusinessProfile(jid(BOB))).toBeUndefined();
    await bob.socket.updateBussinesProfile({ description: "Bob & Sons", email: "bob@example.com" });
    await bob.socket.updateBussinesProfile({ description: "Bob & Daughters" });
    expect(await alice.socket.getBusinessProfile(jid(BOB))).toMatchObject({
      wid: jid(BOB),
      description: "Bob & Daughters",
      email: "bob@example.com",
    });
    const carol = await world.person();
    await change(carol, { business: { address: "1 Main Street", website: "https://example.com" } });
    expect(await alice.socket.getBusinessProfile(jid(carol))).toMatchObject({
      address: "1 Main Street",
      website: ["https://example.com"],
    });
  });

  test("says how long messages last by default, to the other devices, too", async () => {
    const updates = collect<{ accountSettings?: { defaultDisappearingMode?: object } }>(desk, "creds.update");
    await alice.socket.updateDefaultDisappearingMode(86_400);
    expect(await bob.socket.fetchDisappearingDuration(jid(ALICE))).toMatchObject([
      { disappearing_mode: { duration: 86_400 } },
    ]);
    await until(() => updates.some(({ accountSettings }) => accountSettings?.defaultDisappearingMode !== undefined));
  });
});

test("privacy settings are kept, and nonsense is refused", async () => {
  await alice.socket.updateReadReceiptsPrivacy("none");
  await alice.socket.updateGroupsAddPrivacy("contacts");
  expect(await desk.socket.fetchPrivacySettings(true)).toMatchObject({
    readreceipts: "none",
    groupadd: "contacts",
    last: "all",
  });
  await expect(alice.socket.updateLastSeenPrivacy("nonsense" as "all")).rejects.toThrow("bad-request");
});

describe("a person who is blocked", () => {
  test("sends into the void, and not once unblocked; the other devices are told", async () => {
    const carol = await world.person();
    const first = await world.write(carol, ALICE, "before");
    await until(() => alice.texts().some(({ id }) => id === first));
    const changes = collect<{ blocklist: string[]; type: string }>(desk, "blocklist.update");
    const { lid } = await world.phone(carol);
    await alice.socket.updateBlockStatus(jid(carol), "block");
    expect(await desk.socket.fetchBlocklist()).toEqual([`${lid}@lid`]);
    await world.write(carol, ALICE, "into the void");
    await alice.socket.updateBlockStatus(jid(carol), "unblock");
    const last = await world.write(carol, ALICE, "after");
    await until(() => alice.texts().some(({ id }) => id === last));
    expect(alice.texts().map(({ text }) => text)).not.toContain("into the void");
    const arrived = (await world.inbox(ALICE)).filter((each) => each.from === carol);
    expect(arrived.map(({ text }) => text)).toEqual(["before", "after"]);
    await until(() => changes.length === 2);
    expect(changes).toEqual([
      { blocklist: [`${lid}@lid`], type: "add" },
      { blocklist: [`${lid}@lid`], type: "remove" },
    ]);
  });

  test("by a phone, is the client: its message is acknowledged and never arrives", async () => {
    const carol = await world.person();
    await change(carol, { blocked: [ALICE] });
    const id = await alice.sendText(carol, "hello?");
    await until(() => alice.acks.some((ack) => ack.id === id));
    await change(carol, { blocked: [] });
    await alice.sendText(carol, "hello!");
    expect(await world.inbox(carol, 1)).toMatchObject([{ text: "hello!" }]);
  });
});

describe("presence", () => {
  test("of a phone is told to who subscribed, with each change", async () => {
    const carol = await world.person();
    await change(carol, { presence: "unavailable" });
    const seen = collect<{ id: string; presences: Record<string, PresenceData> }>(alice, "presence.update");
    await alice.socket.presenceSubscribe(jid(carol));
    await until(() => seen.length === 1);
    expect(seen[0]?.presences[jid(carol)]).toMatchObject({
      lastKnownPresence: "unavailable",
      lastSeen: expect.any(Number),
    });
    await change(carol, { presence: "available" });
    await change(carol, { online: false });
    await change(carol, { online: true, presence: "unavailable" });
    await until(() => seen.length === 3);
    expect(seen.map(({ presences }) => presences[jid(carol)]?.lastKnownPresence)).toEqual([
      "unavailable",
      "available",
      "unavailable",
    ]);
  });

  test("of a client is what it says, until its connection ends", async () => {
    const carol = await world.person();
    await change(carol, { presence: "unavailable" });
    let client = await world.linked(carol);
    await client.socket.sendPresenceUpdate("unavailable");
    const seen = collect<{ presences: Record<string, PresenceData> }>(bob, "presence.update");
    const states = () => seen.map(({ presences }) => presences[jid(carol)]?.lastKnownPresence);
    await bob.socket.presenceSubscribe(jid(carol));
    await until(() => states().length === 1);
    await client.socket.sendPresenceUpdate("available");
    await until(() => states().length === 2);
    client = await world.back(client);
    await until(() => states().length >= 3);
    expect(states().slice(0, 3)).toEqual(["unavailable", "available", "unavailable"]);
  });

  test("hides when somebody was last there from everybody, if so wished", async () => {
    const carol = await world.person();
    await change(carol, { presence: "unavailable", privacy: { last: "none" } });
    const seen = collect<{ presences: Record<string, PresenceData> }>(alice, "presence.update");
    await alice.socket.presenceSubscribe(jid(carol));
    await until(() => seen.length === 1);
    expect(seen[0]?.presences[jid(carol)]).toEqual({ lastKnownPresence: "unavailable", lastSeen: undefined });
  });
});

describe("typing", () => {
  test("on a phone is seen by the other's clients, recording, too", async () => {
    const carol = await world.person();
    const seen = collect<{ id: string; presences: Record<string, PresenceData> }>(alice, "presence.update");
    for (const state of ["composing", "recording", "paused"]) await change(carol, { typing: { to: ALICE, state } });
    await until(() => seen.length === 3);
    expect(seen.map(({ presences }) => presences[jid(carol)]?.lastKnownPresence)).toEqual([
      "composing",
      "recording",
      "available",
    ]);
  });

  test("in a client is seen by the other's clients, by LID, too", async () => {
    const seen = collect<{ id: string; presences: Record<string, PresenceData> }>(bob, "presence.update");
    const { lid } = await world.phone(BOB);
    await alice.socket.sendPresenceUpdate("composing", jid(BOB));
    await alice.socket.sendPresenceUpdate("paused", `${lid}@lid`);
    await until(() => seen.length === 2);
    const mine = (await world.phone(ALICE)).lid;
    expect(seen).toEqual([
      { id: jid(ALICE), presences: { [jid(ALICE)]: { lastKnownPresence: "composing" } } },
      { id: `${mine}@lid`, presences: { [`${mine}@lid`]: { lastKnownPresence: "available" } } },
    ]);
  });

  test("in a group is seen by all members, and by nobody else", async () => {
    const carol = await world.person();
    const { body: group } = await world.post(`/phones/${carol}/groups`, { subject: "Ours", participants: [BOB] });
    const here = collect<{ id: string; presences: Record<string, PresenceData> }>(bob, "presence.update");
    const there = collect<unknown>(alice, "presence.update");
    await change(carol, { typing: { to: group.id, state: "composing" } });
    await until(() => here.length === 1);
    const { lid } = await world.phone(carol);
    expect(here).toEqual([{ id: group.id, presences: { [`${lid}@lid`]: { lastKnownPresence: "composing" } } }]);
    await change(carol, { typing: { to: ALICE, state: "composing" } });
    await until(() => there.length === 1);
  });

  test("is refused on a phone that is not online, and to nobody", async () => {
    const carol = await world.person();
    expect((await change(carol, { online: false, typing: { to: ALICE, state: "composing" } })).status).toBe(409);
    expect((await change(carol, { typing: { to: "x", state: "dancing" }, picture: "?" })).status).toBe(400);
    expect((await change(carol, { blocked: [NOBODY] })).status).toBe(404);
  });
});
