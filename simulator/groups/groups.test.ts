import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { EventLog } from "../testing/event-log.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";
import { children } from "../wire/node.ts";

let world: World;
let alice: BaileysClient;
let bob: BaileysClient;
let aliceEvents: EventLog;
let bobEvents: EventLog;
/** Somebody with a phone and nothing linked to it. */
let carol: string;
let dave: string;

beforeAll(async () => {
  world = await World.start();
  alice = world.client();
  aliceEvents = new EventLog(alice);
  bob = world.client();
  bobEvents = new EventLog(bob);
  await alice.link(ALICE);
  await bob.link(BOB);
  [carol, dave] = [await world.person(), await world.person()];
});
beforeEach(() => {
  aliceEvents.clear();
  bobEvents.clear();
});
afterAll(() => world.dispose());

const pn = (phone: string) => `${phone}@s.whatsapp.net`;

async function lid(phone: string): Promise<string> {
  return `${(await world.phone(phone)).lid}@lid`;
}

/** The code with which Baileys rejects. */
async function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "fine",
    (error: { data?: { attrs?: { code: string } } | number }) =>
      Number(typeof error.data === "object" ? error.data.attrs?.code : error.data),
  );
}

describe("creating a group", () => {
  test("answers its metadata with LIDs and numbers, and tells every member's devices", async () => {
    const group = await alice.socket.groupCreate("Friends", [pn(BOB), pn(carol)]);
    expect(group).toMatchObject({
      subject: "Friends",
      addressingMode: "lid",
      owner: await lid(ALICE),
      ownerPn: pn(ALICE),
      size: 3,
      announce: false,
      restrict: false,
      memberAddMode: true,
      joinApprovalMode: false,
    });
    expect(group.participants).toEqual([
      expect.objectContaining({ id: await lid(ALICE), phoneNumber: pn(ALICE), admin: "superadmin" }),
      expect.objectContaining({ id: await lid(BOB), phoneNumber: pn(BOB), admin: null }),
      expect.objectContaining({ id: await lid(carol), phoneNumber: pn(carol), admin: null }),
    ]);
    const [upserted] = await bobEvents.find("groups.upsert", ([each]) => each?.id === group.id);
    expect(upserted).toMatchObject({ subject: "Friends", author: await lid(ALICE), authorPn: pn(ALICE) });
    expect(await bob.socket.groupMetadata(group.id)).toMatchObject({ subject: "Friends", size: 3 });
    expect(Object.keys(await alice.socket.groupFetchAllParticipating())).toContain(group.id);
    expect((await world.get(`/groups/${group.id}`)).body).toMatchObject({
      subject: "Friends",
      members: [ALICE, BOB, carol],
      admins: [ALICE],
    });
  });

  test("by a phone tells the linked devices of the members", async () => {
    const group = await world.group(BOB, "From a phone", [ALICE]);
    const [upserted] = await aliceEvents.find("groups.upsert", ([each]) => each?.id === group);
    expect(upserted).toMatchObject({ subject: "From a phone", owner: await lid(BOB), ownerPn: pn(BOB) });
  });

  test("names those who are not on WhatsApp", async () => {
    const group = await alice.socket.groupCreate("With a stranger", [pn(carol), pn("19998887777")]);
    expect((await alice.socket.groupMetadata(group.id)).participants).toHaveLength(2);
  });

  test("without a name, or with far too long a one, is refused with 406", async () => {
    expect(await refusal(alice.socket.groupCreate("", [pn(BOB)]))).toBe(406);
    expect(await refusal(alice.socket.groupCreate("x".repeat(101), [pn(BOB)]))).toBe(406);
  });
});

describe("membership", () => {
  test("changes one by one, with a result for each: 200, 404, 409", async () => {
    const group = await alice.socket.groupCreate("Growing", [pn(BOB)]);
    const wanted = [pn(carol), pn(BOB), pn("19998887777")];
    const results = await alice.socket.groupParticipantsUpdate(group.id, wanted, "add");
    expect(results.map(({ jid, status }) => [jid, status])).toEqual([
      [pn(carol), "200"],
      [pn(BOB), "409"],
      [pn("19998887777"), "404"],
    ]);
    for (const events of [aliceEvents, bobEvents]) {
      const added = await events.find("group-participants.update", ({ id }) => id === group.id);
      expect(added).toMatchObject({
        action: "add",
        author: await lid(ALICE),
        participants: [{ id: await lid(carol), phoneNumber: pn(carol) }],
      });
    }
  });

  test("gives those who are added later the whole group", async () => {
    const group = await alice.socket.groupCreate("Later", [pn(carol)]);
    await alice.socket.groupParticipantsUpdate(group.id, [await lid(BOB)], "add");
    const [joined] = await bobEvents.find("groups.upsert", ([each]) => each?.id === group.id);
    expect(joined?.participants).toHaveLength(3);
    expect(bobEvents.all("group-participants.update")).toEqual([]);
  });

  test("makes and unmakes admins, who then may do what others may not", async () => {
    const group = await alice.socket.groupCreate("Ranks", [pn(BOB), pn(carol)]);
    expect(await refusal(bob.socket.groupParticipantsUpdate(group.id, [pn(carol)], "remove"))).toBe(403);
    expect(await refusal(bob.socket.groupParticipantsUpdate(group.id, [pn(BOB)], "promote"))).toBe(403);
    await alice.socket.groupParticipantsUpdate(group.id, [pn(BOB)], "promote");
    const promoted = await bobEvents.find("group-participants.update", ({ action }) => action === "promote");
    expect(promoted.participants).toMatchObject([{ id: await lid(BOB), admin: "admin" }]);
    const [removed] = await bob.socket.groupParticipantsUpdate(group.id, [pn(carol)], "remove");
    expect(removed?.status).toBe("200");
    const [kept] = await bob.socket.groupParticipantsUpdate(group.id, [pn(ALICE)], "remove");
    expect(kept?.status).toBe("403");
    await alice.socket.groupParticipantsUpdate(group.id, [pn(BOB)], "demote");
    await bobEvents.find("group-participants.update", ({ action }) => action === "demote");
    expect(await refusal(bob.socket.groupParticipantsUpdate(group.id, [pn(carol)], "promote"))).toBe(403);
  });

  test("ends with a notification for the one who is removed, who is a stranger from then on", async () => {
    const group = await alice.socket.groupCreate("Removal", [pn(BOB)]);
    await alice.socket.groupParticipantsUpdate(group.id, [pn(BOB)], "remove");
    const removed = await bobEvents.find("group-participants.update", ({ id }) => id === group.id);
    expect(removed).toMatchObject({ action: "remove", participants: [{ phoneNumber: pn(BOB) }] });
    expect(await refusal(bob.socket.groupMetadata(group.id))).toBe(403);
    expect(await refusal(bob.socket.groupMetadata("120363000000000000@g.us"))).toBe(404);
    expect(Object.keys(await bob.socket.groupFetchAllParticipating())).not.toContain(group.id);
  });

  test("can be given up; whoever has just left is not added again (408), and somebody inherits", async () => {
    const group = await bob.socket.groupCreate("Leaving", [pn(ALICE), pn(carol)]);
    await bob.socket.groupLeave(group.id);
    const left = await aliceEvents.find("group-participants.update", ({ action }) => action === "remove");
    expect(left).toMatchObject({ author: await lid(BOB), participants: [{ phoneNumber: pn(BOB) }] });
    const heir = await aliceEvents.find("group-participants.update", ({ action }) => action === "promote");
    expect(heir.participants).toMatchObject([{ phoneNumber: pn(ALICE) }]);
    const [again] = await alice.socket.groupParticipantsUpdate(group.id, [pn(BOB)], "add");
    expect(again?.status).toBe("408");
    await world.post("/clock", { advanceMs: 25 * 60 * 60 * 1_000 });
    const [tomorrow] = await alice.socket.groupParticipantsUpdate(group.id, [pn(BOB)], "add");
    expect(tomorrow?.status).toBe("200");
  });

  test("needs the consent of people whose privacy settings say so: 403 with a personal invitation", async () => {
    await bob.socket.updateGroupsAddPrivacy("contact_blacklist");
    const group = await alice.socket.groupCreate("Private", [pn(carol)]);
    const [result] = await alice.socket.groupParticipantsUpdate(group.id, [pn(BOB)], "add");
    expect(result?.status).toBe("403");
    const [request] = children(result?.content);
    const { code: inviteCode = "", expiration = "" } = request?.attrs ?? {};
    const invite = { groupJid: group.id, inviteCode, inviteExpiration: Number(expiration) };
    await bob.socket.groupAcceptInviteV4(pn(ALICE), invite);
    expect((await bob.socket.groupMetadata(group.id)).size).toBe(3);
    await bob.socket.updateGroupsAddPrivacy("all");
  });
});

describe("what a group is called and allows", () => {
  test("changes for everyone: subject, description, announcement, locked, timer, who adds, who is approved", async () => {
    const { id } = await alice.socket.groupCreate("Before", [pn(BOB)]);
    await alice.socket.groupUpdateSubject(id, "After");
    await alice.socket.groupUpdateDescription(id, "What it is about");
    await alice.socket.groupSettingUpdate(id, "announcement");
    await alice.socket.groupSettingUpdate(id, "locked");
    await alice.socket.groupMemberAddMode(id, "admin_add");
    await alice.socket.groupJoinApprovalMode(id, "on");
    await alice.socket.groupToggleEphemeral(id, 86_400);
    const updates = () => bobEvents.all("groups.update").flat();
    await until(() => updates().length >= 6);
    expect(Object.assign({}, ...updates())).toMatchObject({
      id,
      subject: "After",
      desc: "What it is about",
      announce: true,
      restrict: true,
      memberAddMode: false,
      joinApprovalMode: true,
    });
    expect(await bob.socket.groupMetadata(id)).toMatchObject({
      subject: "After",
      desc: "What it is about",
      descOwner: await lid(ALICE),
      announce: true,
      restrict: true,
      ephemeralDuration: 86_400,
      memberAddMode: false,
      joinApprovalMode: true,
    });
    expect(await refusal(bob.socket.groupUpdateSubject(id, "Mine"))).toBe(403);
    expect(await refusal(bob.socket.groupUpdateDescription(id, "Mine"))).toBe(403);
    expect(await refusal(bob.socket.groupSettingUpdate(id, "unlocked"))).toBe(403);
    expect(await refusal(bob.socket.groupParticipantsUpdate(id, [pn(carol)], "add"))).toBe(403);
    await alice.socket.groupUpdateDescription(id);
    await alice.socket.groupSettingUpdate(id, "unlocked");
    await alice.socket.groupSettingUpdate(id, "not_announcement");
    await alice.socket.groupToggleEphemeral(id, 0);
    await bob.socket.groupUpdateSubject(id, "Ours");
    const after = await alice.socket.groupMetadata(id);
    expect(after).toMatchObject({ subject: "Ours", announce: false, restrict: false });
    expect([after.desc, after.ephemeralDuration]).toEqual([undefined, undefined]);
  });

  test("includes a picture, which members can look at", async () => {
    const { id } = await alice.socket.groupCreate("Pictured", [pn(BOB)]);
    await expect(bob.socket.profilePictureUrl(id, "image")).rejects.toThrow("item-not-found");
    await alice.socket.updateProfilePicture(id, PICTURE);
    await bobEvents.find("contacts.update", ([contact]) => contact?.id === id && contact.imgUrl === "changed");
    const url = await bob.socket.profilePictureUrl(id, "image");
    expect(new URL(url ?? "").hostname).toBe("pps.whatsapp.net");
    expect((await world.get(`/groups/${id}`)).body).toMatchObject({ picture: { size: expect.any(Number) } });
    await alice.socket.removeProfilePicture(id);
    await expect(bob.socket.profilePictureUrl(id, "image")).rejects.toThrow("item-not-found");
  });
});

describe("an invite link", () => {
  test("lets people in, shows the group before, and can be revoked", async () => {
    const { id } = await alice.socket.groupCreate("Open", [pn(carol)]);
    const code = (await alice.socket.groupInviteCode(id)) ?? "";
    expect(await bob.socket.groupGetInviteInfo(code)).toMatchObject({ id, subject: "Open", size: 2, participants: [] });
    expect(await bob.socket.groupAcceptInvite(code)).toBe(id);
    await bobEvents.find("groups.upsert", ([each]) => each?.id === id);
    await aliceEvents.find("group-participants.update", ({ action }) => action === "add");
    expect(await refusal(bob.socket.groupAcceptInvite(code))).toBe(409);
    expect(await refusal(bob.socket.groupInviteCode(id))).toBe(401);
    const next = await alice.socket.groupRevokeInvite(id);
    expect(next).not.toBe(code);
    await bobEvents.find("groups.update", ([update]) => update?.inviteCode === next);
    expect(await refusal(bob.socket.groupGetInviteInfo(code))).toBe(410);
    expect(await refusal(bob.socket.groupGetInviteInfo("nonsense"))).toBe(406);
    expect((await world.post(`/phones/${dave}/join`, { code: next })).body).toEqual({ id, joined: true });
  });

  test("leads to a request where admins approve", async () => {
    const { id } = await alice.socket.groupCreate("Approved", [pn(carol)]);
    await alice.socket.groupJoinApprovalMode(id, "on");
    const code = (await alice.socket.groupInviteCode(id)) ?? "";
    expect(await bob.socket.groupAcceptInvite(code)).toBeUndefined();
    const request = await aliceEvents.find("group.join-request", (each) => each.id === id);
    expect(request).toMatchObject({ participant: await lid(BOB), participantPn: pn(BOB), action: "created" });
    expect((await world.post(`/phones/${dave}/join`, { code })).body).toEqual({ id, joined: false });
    expect(await alice.socket.groupRequestParticipantsList(id)).toMatchObject([
      { jid: await lid(BOB), request_method: "invite_link" },
      { jid: await lid(dave) },
    ]);
    const approved = await alice.socket.groupRequestParticipantsUpdate(
      id,
      [await lid(BOB), await lid(carol)],
      "approve",
    );
    expect(approved.map(({ status }) => status)).toEqual(["200", "404"]);
    await bobEvents.find("groups.upsert", ([each]) => each?.id === id);
    await alice.socket.groupRequestParticipantsUpdate(id, [await lid(dave)], "reject");
    await aliceEvents.find("group.join-request", ({ action }) => action === "rejected");
    expect(await alice.socket.groupRequestParticipantsList(id)).toEqual([]);
    expect((await world.get(`/groups/${id}`)).body).toMatchObject({ members: [ALICE, carol, BOB], requests: [] });
  });
});

describe("on a phone", () => {
  test("people add, remove, promote, rename and leave, and linked devices hear of it", async () => {
    const id = await world.group(carol, "By hand", [ALICE]);
    const act = (phone: string, body: object) => world.post(`/phones/${phone}/groups/${id}`, body);
    await act(carol, { add: [BOB] });
    await bobEvents.find("groups.upsert", ([each]) => each?.id === id);
    await act(carol, { promote: [ALICE] });
    await aliceEvents.find("group-participants.update", ({ action }) => action === "promote");
    await act(carol, { subject: "By both hands" });
    await aliceEvents.find("groups.update", ([update]) => update?.subject === "By both hands");
    await act(carol, { settings: { announcement: true } });
    await aliceEvents.find("groups.update", ([update]) => update?.announce === true);
    await act(carol, { leave: true });
    await aliceEvents.find("group-participants.update", ({ action, author }) => action === "remove" && author !== "");
    expect((await act(carol, { add: [dave] })).body.error.code).toBe("refused");
    expect((await world.get(`/groups/${id}`)).body).toMatchObject({ members: [ALICE, BOB], admins: [ALICE] });
  });
});

/** The smallest JPEG that sharp, which Baileys uses for pictures, can read: one grey pixel. */
const PICTURE = Buffer.from(
  "/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k=",
  "base64",
);
