import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

const NOBODY = "6281199999997";
const jid = (phone: Phone | string) => `${typeof phone === "string" ? phone : phone.number}@s.whatsapp.net`;

describe("groups", () => {
  let stack: Stack;
  let gateway: Gateway;
  let owner: Phone;
  let friend: Phone;
  let other: Phone;
  let shy: Phone;
  let group = "";

  const call = (method: string, path: string, body?: unknown, headers = {}) =>
    gateway.call(method, `/devices/club${path}`, body, headers);
  const inGroup = (method: string, path: string, body?: unknown) => call(method, `/groups/${group}${path}`, body);

  beforeAll(async () => {
    stack = await freshStack();
    gateway = new Gateway(stack);
    owner = await Phone.create(stack, "6281100000061", "Owner");
    friend = await Phone.create(stack, "6281100000062", "Friend");
    other = await Phone.create(stack, "6281100000063");
    shy = await Phone.create(stack, "6281100000064");
    await shy.settings({ privacy: { groupadd: "none" } });
    await gateway.link("club", owner);
  });

  it("one is made with whom WhatsApp lets in, and the answer tells who is not, and why", async () => {
    const participants = [friend.number, jid(shy), NOBODY];
    const created = await call("POST", "/groups", { subject: "Klub Membaca", participants });
    expect(created.status, JSON.stringify(created.body)).toBe(200);
    group = created.body.data.groupId;
    expect(created.body.data.subject).toBe("Klub Membaca");
    expect(created.body.data.participants).toHaveLength(3);
    expect(created.body.data.participants).toEqual(
      expect.arrayContaining([
        { jid: jid(friend), status: 200, code: "ok" },
        { jid: jid(shy), status: 403, code: "not_allowed" },
        { jid: jid(NOBODY), status: 404, code: "not_found" },
      ]),
    );
    const made = await owner.group(group);
    expect(made.subject).toBe("Klub Membaca");
    expect(made.members.toSorted()).toEqual([owner.number, friend.number]);
  });

  it("the same Idempotency-Key makes one group, however often it is used", async () => {
    const body = { subject: "Sekali", participants: [friend.number] };
    const key = { "idempotency-key": "club-1" };
    const answers = await Promise.all([1, 2, 3].map(() => call("POST", "/groups", body, key)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map((answer) => answer.body.data.groupId)).size).toBe(1);
    const listed = (await call("GET", "/groups")).body.data.groups as { subject: string }[];
    expect(listed.filter(({ subject }) => subject === "Sekali")).toHaveLength(1);
  });

  it("people come in, rise, fall and go, by number or JID, and the members' list follows", async () => {
    const added = await inGroup("POST", "/participants", { participants: [`0${other.number.slice(2)}`, jid(friend)] });
    expect(added.body.data.participants).toEqual([
      { jid: jid(other), status: 200, code: "ok" },
      { jid: jid(friend), status: 409, code: "no_change" },
    ]);
    expect((await owner.group(group)).members).toContain(other.number);

    const promoted = await inGroup("POST", "/admins", { adminJid: friend.number });
    expect(promoted.body.data.participants).toEqual([{ jid: jid(friend), status: 200, code: "ok" }]);
    await inGroup("POST", "/admins", { participants: [jid(other)] });
    expect((await owner.group(group)).admins.toSorted()).toEqual([owner.number, friend.number, other.number]);
    await inGroup("DELETE", `/admins/${other.number}`);
    expect((await owner.group(group)).admins.toSorted()).toEqual([owner.number, friend.number]);

    const info = await inGroup("GET", "/info");
    expect(info.body.data).toMatchObject({
      id: group,
      subject: "Klub Membaca",
      owner: jid(owner),
      isAdmin: true,
      size: 3,
    });
    expect(info.body.data.participants).toEqual(
      expect.arrayContaining([
        { jid: jid(owner), phoneNumber: owner.number, lid: expect.any(String), role: "superadmin" },
        { jid: jid(friend), phoneNumber: friend.number, lid: expect.any(String), role: "admin" },
        { jid: jid(other), phoneNumber: other.number, lid: expect.any(String), role: "member" },
      ]),
    );

    const removed = await inGroup("DELETE", `/participants/${encodeURIComponent(jid(other))}`);
    expect(removed.body.data.participants).toEqual([{ jid: jid(other), status: 200, code: "ok" }]);
    expect((await owner.group(group)).members.toSorted()).toEqual([owner.number, friend.number]);
    const again = await inGroup("DELETE", `/participants/${other.number}`);
    expect(again.body.data.participants).toEqual([{ jid: jid(other), status: 404, code: "not_found" }]);
  });

  it("of an allowed number are listed with the invite link that an admin may see", async () => {
    const data = async (method: string, path: string, body?: unknown) =>
      (await gateway.call(method, `/../whatsapp${path}`, body)).body.data;
    const { user } = (await gateway.call("GET", "/../auth/session")).body.data;
    const [session] = (await data("GET", `/sessions/user/${user.userId}`)).sessions;
    const links = async () =>
      (await data("GET", `/groups/links/${session.id}?pageSize=100`)).groups as {
        group_id: string;
        subject: string;
        invite_link: string | null;
      }[];
    await call("GET", "/groups");
    expect(await links()).toEqual([]);

    await data("POST", "/allowed-numbers", { whatsapp_number: owner.number, session_id: session.id });
    await eventually("the groups are kept", 60_000, async () => {
      await call("GET", "/groups");
      const subjects = (await links()).map(({ subject }) => subject);
      return subjects.includes("Klub Membaca") && subjects.includes("Sekali");
    });
    const { inviteCode } = await owner.group(group);
    await eventually("the link is known", 60_000, async () => {
      await inGroup("GET", "/info");
      const found = (await links()).find((one) => one.group_id === group);
      return found?.invite_link === `https://chat.whatsapp.com/${inviteCode}`;
    });
  });

  it("what people change on their phones is in the list and in the info, which were read before", async () => {
    await call("GET", "/groups");
    const theirs = await friend.createGroup("Punya Teman", [owner]);
    await friend.changeGroup(group, { subject: "Klub Menulis" });
    await eventually("the list follows", 5_000, async () => {
      const { groups } = (await call("GET", "/groups")).body.data as { groups: { id: string; subject: string }[] };
      const subjectOf = (id: string) => groups.find((one) => one.id === id)?.subject;
      return subjectOf(group) === "Klub Menulis" && subjectOf(theirs) === "Punya Teman";
    });
    expect((await inGroup("GET", "/info")).body.data.subject).toBe("Klub Menulis");
    await friend.changeGroup(theirs, { remove: [owner.number] });
    await eventually("a group that the account is no longer in is not listed", 5_000, async () => {
      const { groups } = (await call("GET", "/groups")).body.data as { groups: { id: string }[] };
      return !groups.some(({ id }) => id === theirs);
    });
    const gone = await call("POST", "/send-group-message", { groupId: theirs, message: "masih di sini?" });
    expect([gone.status, gone.body.error?.code]).toEqual([403, "group_forbidden"]);
  });

  it("a message reaches every member, also one who came after the last", async () => {
    const first = await call("POST", "/send-group-message", { groupId: group, message: "Halo semua" });
    expect(first.status, JSON.stringify(first.body)).toBe(200);
    expect(first.body.data.to).toBe(group);
    expect(await friend.received(first.body.data.messageId)).toMatchObject({ text: "Halo semua", copies: 1 });
    await friend.changeGroup(group, { add: [other.number] });
    await eventually(
      "the new member is known",
      5_000,
      async () => (await inGroup("GET", "/info")).body.data.size === 3,
    );
    const second = await call("POST", "/send-group-message", { groupId: group, message: "Halo lagi" });
    for (const phone of [friend, other])
      expect(await phone.received(second.body.data.messageId)).toMatchObject({ text: "Halo lagi", copies: 1 });
  });

  it("several in one request are answered with what became of each", async () => {
    const groups = [group, "120363999999999999@g.us", group];
    const items = groups.map((groupId, n) => ({ groupId, message: `massal ${n}` }));
    const answer = await call("POST", "/send-group-message", { items, delay: 0 });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(answer.body.data).toMatchObject({
      total: 3,
      successCount: 2,
      errorCount: 1,
      results: [
        { to: group, status: "success" },
        { status: "error", error: "group_not_found" },
        { to: group, status: "success" },
      ],
    });
    const { results } = answer.body.data as { results: { messageId: string }[] };
    for (const n of [0, 2]) {
      expect(await friend.received(results[n]?.messageId ?? "")).toMatchObject({ text: `massal ${n}`, copies: 1 });
    }
  });

  it("a message mentions people under every form of the placeholders", async () => {
    const mentions = [friend.number, jid(other)];
    const message = "{m1} {mention2} {mention[0]}: {mentions}";
    const sent = await inGroup("POST", "/mention-message", { message, mentions });
    expect(sent.status, JSON.stringify(sent.body)).toBe(200);
    const text = `@${friend.number} @${other.number} @${friend.number}: @${friend.number} @${other.number}`;
    expect(await friend.received(sent.body.data.messageId)).toMatchObject({
      text,
      mentions: [friend.number, other.number],
    });
    const wrong = await inGroup("POST", "/mention-message", { message: "Halo {m3}", mentions });
    expect([wrong.status, wrong.body.error?.code]).toEqual([400, "validation_failed"]);
    expect(wrong.body.error?.details).toEqual([{ path: "body.message", message: "tidak ada mention untuk {m3}" }]);
  });

  it("what WhatsApp does not let the account do is refused with a code that says so", async () => {
    const theirs = await friend.createGroup("Admin Saja", [owner]);
    const refused = async (method: string, path: string, body?: unknown) => {
      const answer = await call(method, path, body);
      return [answer.status, answer.body.error?.code];
    };
    const people = { participants: [other.number] };
    expect(await refused("DELETE", `/groups/${theirs}/participants/${friend.number}`)).toEqual([
      403,
      "group_forbidden",
    ]);
    expect(await refused("POST", `/groups/${theirs}/admins`, people)).toEqual([403, "group_forbidden"]);
    await friend.changeGroup(theirs, { settings: { announcement: true } });
    await eventually(
      "only admins may write",
      5_000,
      async () => (await call("GET", `/groups/${theirs}/info`)).body.data.announcement,
    );
    const message = { groupId: theirs, message: "boleh?" };
    expect(await refused("POST", "/send-group-message", message)).toEqual([403, "group_forbidden"]);
    expect(await refused("GET", "/groups/120363999999999999@g.us/info")).toEqual([404, "group_not_found"]);
    const nowhere = { groupId: "120363999999999999@g.us", message: "halo?" };
    expect(await refused("POST", "/send-group-message", nowhere)).toEqual([404, "group_not_found"]);
  });

  it(
    "a group whose host dies before WhatsApp has answered is found again, not made twice",
    { timeout: 60_000 },
    async () => {
      const slow = await owner.fault("slow-queries", { delayMs: 20_000 });
      const body = { subject: "Sebelum Mati", participants: [friend.number, jid(shy)] };
      const asked = await call("POST", "/groups", body, { prefer: "respond-async" });
      expect(asked.status).toBe(202);
      const made = await eventually("WhatsApp has made it", 10_000, async () =>
        (await gateway.events("club")).find(
          ({ type, data }) =>
            type === "group.updated" && (data["changes"] as { subject?: string }).subject === "Sebelum Mati",
        ),
      );
      stack.kill("socket-host-1", "SIGKILL");
      await owner.mend(slow.id);
      const command = await eventually("the command is done", 45_000, async () => {
        const { data } = (await gateway.call("GET", `/commands/${asked.body.data.commandId}`)).body;
        return ["done", "failed"].includes(data.status) && data;
      });
      expect(command).toMatchObject({
        status: "done",
        result: {
          groupId: made.data["group"],
          participants: [
            { jid: jid(friend), status: 200, code: "ok" },
            { jid: jid(shy), status: 0, code: "unknown" },
          ],
        },
      });
      const { groups } = (await call("GET", "/groups")).body.data as { groups: { subject: string }[] };
      expect(groups.filter(({ subject }) => subject === "Sebelum Mati")).toHaveLength(1);
    },
  );
});
