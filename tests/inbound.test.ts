import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

describe("what comes in", () => {
  let stack: Stack;
  let gateway: Gateway;
  let owner: Phone;
  let friend: Phone;
  let other: Phone;
  let group: string;
  let from: number;

  const events = async () => {
    const { body } = await gateway.call("GET", `/events?deviceId=inbound&after=${from}&limit=1000`);
    return body.data.events as { type: string; sequence: number; data: Record<string, unknown> }[];
  };
  /** The first event of this type whose data has these fields. */
  const event = (type: string, data: Record<string, unknown>) =>
    eventually(`${type} with ${JSON.stringify(data)}`, 10_000, async () =>
      (await events()).find((one) => one.type === type && matches(one.data, data)),
    );
  const received = (messageId: string) => event("message.received", { messageId });
  const jid = (phone: Phone) => `${phone.number}@s.whatsapp.net`;

  beforeAll(async () => {
    stack = await freshStack();
    gateway = new Gateway(stack);
    owner = await Phone.create(stack, "6281100000081", "Owner");
    friend = await Phone.create(stack, "6281100000082", "Friend");
    other = await Phone.create(stack, "6281100000083", "Other");
    await gateway.link("inbound", owner);
    from = (await gateway.events("inbound")).at(-1)?.sequence ?? 0;
    group = await friend.createGroup("Tim", [owner, other]);
  }, 60_000);

  it("each QR is an event, with the time until which it can be scanned", async () => {
    const all = await gateway.events("inbound");
    const qr = all.find((one) => one.type === "device.qr");
    expect(qr?.data).toEqual({
      qrCode: expect.stringContaining(",") as string,
      expiresAt: expect.stringMatching(/Z$/) as string,
    });
  });

  it("every kind of message that a phone can send is an event with its content", async () => {
    const bytes = Buffer.from("gambar");
    const media = (mimetype: string, more = {}) => ({
      media: { mimetype, base64: bytes.toString("base64"), ...more },
    });
    const file = { sizeBytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
    const question = await friend.write(owner.number, { text: "apa?" });
    const poll = { name: "Makan?", options: ["Soto", "Rawon"] };
    const kinds: [body: Record<string, unknown>, expected: Record<string, unknown>][] = [
      [{ text: "Halo" }, { messageType: "text", text: "Halo" }],
      [
        { text: "itu", replyTo: question },
        { text: "itu", quoted: { messageId: question, sender: jid(friend) } },
      ],
      [{ text: "@kamu", mentions: [owner.number] }, { mentions: [jid(owner)] }],
      [
        media("image/png", { caption: "lihat" }),
        { messageType: "image", caption: "lihat", media: { mimetype: "image/png", ...file } },
      ],
      [media("video/mp4"), { messageType: "video" }],
      [media("audio/ogg"), { messageType: "voice" }],
      [media("image/webp"), { messageType: "sticker" }],
      [
        media("application/pdf", { fileName: "a.pdf" }),
        { messageType: "document", media: { mimetype: "application/pdf", fileName: "a.pdf", ...file } },
      ],
      [
        { location: { latitude: -6.2, longitude: 106.8, name: "Monas" } },
        { messageType: "location", latitude: -6.2, longitude: 106.8, name: "Monas" },
      ],
      [{ contact: { name: "Other", phone: other.number } }, { messageType: "contacts" }],
      [{ poll }, { messageType: "poll", question: "Makan?", options: ["Soto", "Rawon"], selectableCount: 1 }],
      [
        { text: "sebentar", ephemeralSeconds: 60 },
        { text: "sebentar", expiresAfterSeconds: 60 },
      ],
      [
        { ...media("image/png"), viewOnce: true },
        { messageType: "image", isViewOnce: true },
      ],
    ];
    for (const to of [owner.number, group]) {
      for (const [body, expected] of kinds) {
        if (to === group && body["replyTo"]) continue;
        const id = await friend.write(to, body);
        const { data } = await received(id);
        expect(data).toMatchObject({
          ...expected,
          chat: to === group ? group : jid(friend),
          fromMe: false,
          sender: { jid: jid(friend), phone: friend.number, name: "Friend" },
        });
        expect(JSON.stringify(data)).not.toContain("mediaKey");
      }
    }
  }, 60_000);

  it("a vote is told with what it is for, and when it is taken back", async () => {
    for (const to of [owner.number, group]) {
      const poll = await friend.write(to, { poll: { name: "Makan?", options: ["Soto", "Rawon"] } });
      await received(poll);
      for (const options of [["Rawon"], []]) {
        const vote = await received(await friend.write(to, { vote: { messageId: poll, options } }));
        expect(vote.data).toMatchObject({
          messageType: "poll_vote",
          target: { messageId: poll },
          selectedOptions: options,
        });
      }
    }
  }, 20_000);

  it("edits, deletions and reactions are events of the message that they are about", async () => {
    for (const to of [owner.number, group]) {
      const chat = to === group ? group : jid(friend);
      const messageId = await friend.write(to, { text: "salah" });
      await received(messageId);
      await friend.write(to, { edit: { messageId, text: "benar" } });
      await event("message.edited", { messageId, chat, text: "benar", fromMe: false });
      await friend.write(to, { reaction: { messageId, emoji: "👍" } });
      await event("message.reaction", { messageId, chat, emoji: "👍", author: jid(friend) });
      await friend.write(to, { reaction: { messageId, emoji: "" } });
      await event("message.reaction", { messageId, chat, emoji: null });
      await friend.write(to, { delete: { messageId } });
      await event("message.deleted", { messageId, chat, author: jid(friend) });
    }
  }, 30_000);

  it("what the owner does on the phone is told as their own", async () => {
    const messageId = await owner.write(friend.number, { text: "dari HP" });
    const { data } = await received(messageId);
    expect(data).toMatchObject({ fromMe: true, chat: jid(friend), sender: { phone: owner.number } });
    await owner.write(friend.number, { edit: { messageId, text: "dari HP saya" } });
    await event("message.edited", { messageId, fromMe: true, text: "dari HP saya" });
    await owner.write(friend.number, { reaction: { messageId, emoji: "🙂" } });
    await event("message.reaction", { messageId, fromMe: true, author: jid(owner) });
  });

  it("a reaction to a message of the gateway names it as the account's own", async () => {
    const { messageId } = (await gateway.send("inbound", friend.number, "bagus?")).body.data;
    await friend.received(messageId);
    await friend.write(owner.number, { reaction: { messageId, emoji: "❤️" } });
    await event("message.reaction", { messageId, author: jid(owner), emoji: "❤️", fromMe: false });
  });

  it("somebody who writes by LID is known by both names", async () => {
    const id = await friend.write(owner.number, { text: "lewat LID", addressing: "lid" });
    const { data } = await received(id);
    expect(data).toMatchObject({ chat: jid(friend), chatPhone: friend.number, text: "lewat LID" });
    expect(data["chatLid"]).toEqual(expect.stringMatching(/^\d+$/));
    expect(data["sender"]).toMatchObject({ jid: jid(friend), phone: friend.number, lid: data["chatLid"] });
  });

  it("a message that could not be read at first is one event", async () => {
    const { id: fault } = await friend.fault("corrupt-message", { count: 1 });
    const id = await friend.write(owner.number, { text: "rusak", copies: 2 });
    await received(id);
    await friend.mend(fault);
    const marker = await friend.write(owner.number, { text: "sesudahnya" });
    await received(marker);
    expect((await events()).filter(({ data }) => data["messageId"] === id)).toHaveLength(1);
  });

  it("changes of a group are told, with who made them", async () => {
    const about = { group };
    await event("group.updated", { ...about, action: "created", changes: { subject: "Tim" } });
    const changes: [change: Record<string, unknown>, told: Record<string, unknown>][] = [
      [{ subject: "Tim Satu" }, { subject: "Tim Satu" }],
      [{ description: "Isi" }, { description: "Isi" }],
      [{ settings: { announcement: true } }, { announcement: true }],
      [{ settings: { announcement: false } }, { announcement: false }],
      [{ settings: { locked: true } }, { locked: true }],
      [{ settings: { adminsAdd: true } }, { onlyAdminsAdd: true }],
      [{ settings: { ephemeralSeconds: 86_400 } }, { disappearingSeconds: 86_400 }],
    ];
    for (const [change, told] of changes) {
      await friend.changeGroup(group, change);
      const { data } = await event("group.updated", { ...about, action: "updated", changes: told });
      expect(data["author"]).toMatchObject({ jid: jid(friend), name: "Friend" });
    }
    for (const action of ["promote", "demote", "remove", "add"]) {
      await friend.changeGroup(group, { [action]: [other.number] });
      const { data } = await event("group.participants", { ...about, action });
      expect(data["participants"]).toMatchObject([{ jid: jid(other), phone: other.number }]);
    }
  }, 30_000);

  it("each reader of a message to a group is told, and the command follows the first", async () => {
    await friend.settings({ autoRead: true });
    const sent = await gateway.send("inbound", group, "untuk semua", { prefer: "respond-async" });
    const { commandId } = sent.body.data;
    const command = async () => (await gateway.call("GET", `/commands/${commandId}`)).body.data;
    const { messageId } = await eventually("accepted", 10_000, async () => {
      const data = await command();
      return data.messageId && data.status !== "queued" && data;
    });
    await other.received(messageId);
    for (const [phone, status] of [
      [friend, "delivered"],
      [friend, "read"],
      [other, "delivered"],
    ] as const) {
      await event("message.status", { messageId, chat: group, status, participant: { phone: phone.number } });
    }
    expect((await command()).status).toBe("read");
    await friend.settings({ autoRead: false });
  });

  it("a call is told when it rings, and what became of it", async () => {
    for (const [action, who, status] of [
      ["accept", owner, "accepted_elsewhere"],
      ["reject", owner, "rejected"],
      ["hang-up", friend, "ended"],
      ["miss", friend, "missed"],
    ] as const) {
      const callId = await friend.call(owner, { video: true });
      const { data } = await event("call.received", { callId, status: "offered", isVideo: true, isGroup: false });
      expect(data["from"]).toMatchObject({ jid: jid(friend), phone: friend.number });
      await who.endCall(callId, action);
      await event("call.received", { callId, status });
    }
    const callId = await friend.call(owner, { group });
    await event("call.received", { callId, status: "offered", isGroup: true, group });
    await friend.endCall(callId, "hang-up");
  }, 30_000);

  it("somebody who hides their number is known by LID alone", async () => {
    const hidden = await Phone.create(stack, "6281100000084", "Rahasia");
    await hidden.settings({ numberHidden: true });
    const id = await hidden.write(owner.number, { text: "siapa aku?", addressing: "lid" });
    const { data } = await received(id);
    expect(data).toMatchObject({ chatPhone: null, sender: { phone: null, name: "Rahasia" } });
    expect(data["chat"]).toBe(`${String(data["chatLid"])}@lid`);
  });

  it("kill -9 of the host in the middle: each event once, none missing", async () => {
    const texts = Array.from({ length: 60 }, (_, n) => `banjir ${n}`);
    const ids: string[] = [];
    const isRunning = () => stack.processes().some(({ name }) => name === "socket-host-1");
    for (const [n, text] of texts.entries()) {
      ids.push(await friend.write(n % 3 === 0 ? group : owner.number, { text }));
      if (n % 10 === 5) await friend.changeGroup(group, { subject: `Tim ${n}` });
      if (n !== 20 && n !== 40) continue;
      await eventually("a host runs", 20_000, async () => isRunning());
      stack.kill("socket-host-1", "SIGKILL");
    }
    const told = await eventually("all are events", 60_000, async () => {
      const found = await events();
      const known = new Set(found.map(({ data }) => data["messageId"]));
      return ids.every((id) => known.has(id)) && found;
    });
    for (const id of ids)
      expect(
        told.filter(({ data }) => data["messageId"] === id),
        id,
      ).toHaveLength(1);
    const subjects = told.flatMap(({ data }) => (data["changes"] as { subject?: string } | undefined)?.subject ?? []);
    for (const n of [5, 15, 25, 35, 45, 55])
      expect(
        subjects.filter((one) => one === `Tim ${n}`),
        `${n}`,
      ).toHaveLength(1);
    const sequences = told.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.map((_, index) => (sequences[0] ?? 0) + index));
  }, 120_000);
});

/** Whether `data` has all of these fields, at any depth. */
function matches(data: unknown, expected: unknown): boolean {
  if (typeof expected !== "object" || expected === null) return data === expected;
  return Object.entries(expected).every(([name, value]) =>
    matches((data as Record<string, unknown> | null)?.[name], value),
  );
}
