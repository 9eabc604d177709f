import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { until } from "../testing/until.ts";
import { ALICE, World } from "../testing/world.ts";

let world: World;
let first: BaileysClient;
let second: BaileysClient;

beforeAll(async () => {
  world = await World.start();
  first = await world.linked(ALICE);
  second = await world.linked(ALICE);
});
afterAll(() => world.dispose());

async function retryReceipts(): Promise<number> {
  const { fromPhones, fromDevices } = (await world.stats()).retryReceipts;
  return fromPhones + fromDevices;
}

describe("a text from a client", () => {
  test("arrives at the phone once, decrypted, under its id, and is acknowledged", async () => {
    const bob = await world.person();
    const id = await first.sendText(bob, "hello Bob");
    const [message, ...others] = await world.inbox(bob, 1);
    expect(message).toEqual({
      n: 1,
      id,
      chat: ALICE,
      from: ALICE,
      fromMe: false,
      type: "text",
      text: "hello Bob",
      timestamp: expect.any(Number),
      copies: 1,
    });
    expect(others).toEqual([]);
    expect(first.acks).toContainEqual({ id, error: undefined });
  });

  test("shows up at the own phone and at the other linked devices as sent by oneself", async () => {
    const bob = await world.person();
    const ids = [await first.sendText(bob, "from the first"), await second.sendText(bob, "from the second")];
    const isHere = (client: BaileysClient, id: string | undefined) => client.texts().find((each) => each.id === id);
    await until(() => isHere(second, ids[0]) !== undefined && isHere(first, ids[1]) !== undefined);
    expect(isHere(second, ids[0])).toMatchObject({ text: "from the first", fromMe: true });
    expect(isHere(first, ids[1])).toMatchObject({ text: "from the second", fromMe: true });
    await until(async () => {
      const own = (await world.inbox(ALICE)).filter((each) => each.chat === bob);
      return own.length === 2 && own.every((each) => each.fromMe);
    });
    expect(await world.inbox(bob, 2)).toMatchObject([{ copies: 1 }, { copies: 1 }]);
  });

  test("can be addressed by LID", async () => {
    const bob = await world.person();
    const { lid } = await world.phone(bob);
    await first.socket.sendMessage(`${lid}@lid`, { text: "by LID" });
    expect(await world.inbox(bob, 1)).toMatchObject([{ text: "by LID", chat: ALICE }]);
  });

  test("counts its copies when it is sent again under the same id", async () => {
    const bob = await world.person();
    for (const text of ["once", "once"]) await first.sendText(bob, text, "SAMEID0001");
    await first.sendText(bob, "another");
    expect(await world.inbox(bob, 2)).toMatchObject([
      { id: "SAMEID0001", copies: 2 },
      { text: "another", copies: 1 },
    ]);
    const { messages } = await world.stats();
    expect(messages.repeatedIds).toEqual([{ from: `${ALICE}:1@s.whatsapp.net`, id: "SAMEID0001", times: 2 }]);
    expect(messages.routed).toBe(messages.distinctIds + 1);
  });

  test("reaches a device that was linked after the sender had asked for the devices", async () => {
    const bob = await world.person();
    const before = await retryReceipts();
    await first.sendText(bob, "first contact");
    const late = await world.linked(bob);
    const id = await first.sendText(bob, "to both");
    await until(() => late.texts().some((each) => each.id === id));
    expect(await retryReceipts()).toBe(before);
  });

  test("to a number that is not on WhatsApp goes nowhere, and the number is absent from onWhatsApp", async () => {
    const bob = await world.person();
    expect(await first.socket.onWhatsApp(bob, "19998887777")).toEqual([{ jid: `${bob}@s.whatsapp.net`, exists: true }]);
    const id = await first.sendText("19998887777", "anybody?");
    await until(async () => {
      const inbox = await world.inbox(ALICE);
      return inbox.some((each) => each.id === id && each.chat === "19998887777");
    });
  });
});

describe("a text from a phone", () => {
  test("arrives at all linked devices of the other person, live, with name and LID", async () => {
    const bob = await world.person();
    const id = await world.write(bob, ALICE, "hello Alice");
    const { lid, name } = await world.phone(bob);
    for (const client of [first, second]) {
      await until(() => client.texts().some((each) => each.id === id));
      const copies = client.texts().filter((each) => each.id === id);
      expect(copies).toEqual([{ id, text: "hello Alice", fromMe: false, upsert: "notify" }]);
      const message = client.received.find(({ key }) => key.id === id);
      expect(message?.key).toMatchObject({ remoteJid: `${bob}@s.whatsapp.net`, remoteJidAlt: `${lid}@lid` });
      expect(message?.pushName).toBe(name);
    }
  });

  test("arrives at the other phone, and at the own linked devices as sent by oneself", async () => {
    const bob = await world.person();
    const id = await world.write(ALICE, bob, "typed on the phone");
    expect(await world.inbox(bob, 1)).toMatchObject([{ id, from: ALICE, text: "typed on the phone" }]);
    await until(() => first.texts().some((each) => each.id === id && each.fromMe));
    expect(first.received.find(({ key }) => key.id === id)?.key.remoteJid).toBe(`${bob}@s.whatsapp.net`);
  });

  test("can be a reply, in both directions", async () => {
    const bob = await world.person();
    const question = await first.sendText(bob, "how are you?");
    await world.inbox(bob, 1);
    const { body } = await world.post(`/phones/${bob}/messages`, { to: ALICE, text: "fine", replyTo: question });
    await until(() => first.texts().some(({ id }) => id === body.id));
    const reply = first.received.find(({ key }) => key.id === body.id);
    expect(reply?.message?.extendedTextMessage?.contextInfo).toMatchObject({
      stanzaId: question,
      participant: `${ALICE}@s.whatsapp.net`,
      quotedMessage: { extendedTextMessage: { text: "how are you?" } },
    });
    if (!reply) throw new Error("no reply");
    await first.socket.sendMessage(`${bob}@s.whatsapp.net`, { text: "good" }, { quoted: reply });
    expect((await world.inbox(bob, 2)).at(-1)).toMatchObject({ text: "good", quoted: { id: body.id } });
  });
});

describe("a device that is away", () => {
  test("gets its messages at the next login, marked as offline, in order and only once", async () => {
    const [bob, carol] = [await world.person(), await world.person()];
    await world.settled(ALICE);
    await first.end();
    const ids = [
      await world.write(bob, ALICE, "one"),
      await world.write(carol, ALICE, "two"),
      await world.write(bob, ALICE, "three"),
    ];
    const back = await world.back(first);
    await until(() => back.texts().length === 3);
    expect(back.texts().map(({ id }) => id)).toEqual(ids);
    expect(back.texts().map(({ upsert }) => upsert)).toEqual(["append", "append", "append"]);
    await world.settled(ALICE);
    first = await world.back(back);
    await world.write(bob, ALICE, "four");
    await until(() => first.texts().length > 0);
    expect(first.texts()).toMatchObject([{ text: "four", upsert: "notify" }]);
  });

  test("may be a phone: it receives when it is online again, and cannot send until then", async () => {
    const bob = await world.person();
    await world.put(`/phones/${bob}/settings`, { online: false });
    const id = await first.sendText(bob, "later");
    await until(() => first.acks.some((ack) => ack.id === id));
    expect(await world.inbox(bob)).toEqual([]);
    const refused = await world.post(`/phones/${bob}/messages`, { to: ALICE, text: "now" });
    expect([refused.status, refused.body.error.code]).toEqual([409, "phone_offline"]);
    await world.put(`/phones/${bob}/settings`, { online: true });
    expect(await world.inbox(bob, 1)).toMatchObject([{ id, copies: 1 }]);
  });
});

test("many texts both ways at once all arrive once", async () => {
  const bob = await world.person();
  const count = 60;
  const before = first.texts().length;
  const sending = Array.from({ length: count }, (_, i) => first.sendText(bob, `out ${i}`));
  const writing = Array.from({ length: count }, (_, i) => world.write(bob, ALICE, `in ${i}`));
  await Promise.all([...sending, ...writing]);
  await until(() => first.texts().length >= before + count);
  const inbox = await world.inbox(bob, count);
  expect(new Set(inbox.map((each) => each.text)).size).toBe(count);
  expect(
    new Set(
      first
        .texts()
        .slice(before)
        .map(({ text }) => text),
    ).size,
  ).toBe(count);
});
