import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { EventLog } from "../testing/event-log.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";

let world: World;
let alice: BaileysClient;
let second: BaileysClient;
let bob: BaileysClient;
let aliceEvents: EventLog;
/** Somebody with a phone and nothing linked to it. */
let carol: string;

beforeAll(async () => {
  world = await World.start();
  alice = world.client();
  aliceEvents = new EventLog(alice);
  await alice.link(ALICE);
  second = await world.linked(ALICE);
  bob = await world.linked(BOB);
});
beforeEach(async () => {
  carol = await world.person();
});
afterAll(() => world.dispose());

const pn = (phone: string) => `${phone}@s.whatsapp.net`;

async function lid(phone: string): Promise<string> {
  return `${(await world.phone(phone)).lid}@lid`;
}

async function retries() {
  return (await world.stats()).retryReceipts;
}

async function gotAt(phone: string, id: string) {
  await until(async () => (await world.inbox(phone)).some((each) => each.id === id), `${id} at ${phone}`);
  return (await world.inbox(phone)).find((each) => each.id === id);
}

/** What Baileys told of receipts: on their own, or with the message if they came at once (Utils/event-buffer.js). */
function receiptsOf(id: string) {
  return [
    ...aliceEvents
      .all("message-receipt.update")
      .flat()
      .flatMap(({ key, receipt }) => (key.id === id ? [receipt] : [])),
    ...alice.received.flatMap(({ key, userReceipt }) => (key.id === id ? (userReceipt ?? []) : [])),
  ];
}

/** What Baileys told of a refused message, likewise. */
function stubParametersOf(id: string): string[] {
  const updates = aliceEvents
    .all("messages.update")
    .flat()
    .map(({ key, update }) => ({ ...update, key }));
  return [...updates, ...alice.received].flatMap(({ key, messageStubParameters }) =>
    key?.id === id ? (messageStubParameters ?? []) : [],
  );
}

describe.each(["lid", "pn"] as const)("in a group that uses addresses of kind %s", (addressing) => {
  let group: string;
  let member: string;

  beforeAll(async () => {
    member = await world.person();
    group = await world.group(member, `Group by ${addressing}`, [ALICE, BOB], addressing);
  });

  test("a text from a client reaches every phone, every other client and the own devices", async () => {
    const before = await retries();
    const { participants } = await alice.socket.groupMetadata(group);
    const own = addressing === "lid" ? await lid(ALICE) : pn(ALICE);
    expect(participants.map(({ id }) => id)).toContain(own);
    const id = await alice.send(group, { text: "hello all" });
    for (const phone of [member, BOB]) {
      expect(await gotAt(phone, id)).toMatchObject({
        chat: group,
        from: ALICE,
        fromMe: false,
        text: "hello all",
        copies: 1,
      });
    }
    expect(await gotAt(ALICE, id)).toMatchObject({ chat: group, from: ALICE, fromMe: true });
    const message = await bob.message(id);
    expect(message.key).toMatchObject({
      remoteJid: group,
      fromMe: false,
      participant: own,
      addressingMode: addressing,
    });
    expect(message.key.participantAlt).toBe(addressing === "lid" ? pn(ALICE) : await lid(ALICE));
    expect((await second.message(id)).key).toMatchObject({ remoteJid: group, fromMe: true });
    expect(alice.acks).toContainEqual({ id, error: undefined });
    expect(await retries()).toEqual(before);
  });

  test("a text from a phone reaches everyone, again and again", async () => {
    const before = await retries();
    for (const text of ["one", "two", "three"]) {
      const id = await world.write(member, group, text);
      for (const client of [alice, second, bob]) {
        const message = await client.message(id);
        expect(message.message).toMatchObject({ conversation: text });
        expect(message.key).toMatchObject({ remoteJid: group, fromMe: false, participantAlt: expect.any(String) });
      }
      expect(await gotAt(ALICE, id)).toMatchObject({ chat: group, from: member, text });
    }
    expect(await retries()).toEqual(before);
  });

  test("receipts of phones arrive for each reader", async () => {
    const id = await alice.send(group, { text: "who reads this?" });
    await gotAt(member, id);
    await world.post(`/phones/${member}/receipts`, { chat: group, ids: [id], type: "read" });
    const reader = addressing === "lid" ? await lid(member) : pn(member);
    await until(() => receiptsOf(id).some((each) => each.userJid === reader && each.readTimestamp));
    await until(() => receiptsOf(id).some((each) => each.userJid === reader && each.receiptTimestamp));
  });

  test("a message that one client cannot read is sent to it once more", async () => {
    const before = await retries();
    await world.post("/faults", { match: { phone: BOB, device: 1, group }, fault: "corrupt-message" });
    const fromPhone = await world.write(member, group, "spoilt for one");
    expect((await bob.message(fromPhone)).message).toMatchObject({ conversation: "spoilt for one" });
    await world.post("/faults", { match: { phone: BOB, device: 1, group }, fault: "corrupt-message" });
    const fromClient = await alice.send(group, { text: "spoilt again" });
    expect((await bob.message(fromClient)).message).toMatchObject({ extendedTextMessage: { text: "spoilt again" } });
    expect((await retries()).fromDevices).toBe(before.fromDevices + 2);
    const after = await world.write(member, group, "and on it goes");
    await bob.message(after);
    expect((await retries()).fromDevices).toBe(before.fromDevices + 2);
  });

  test("a message that a phone cannot read is sent to it once more", async () => {
    await world.post("/faults", { match: { phone: member, device: 0 }, fault: "corrupt-message" });
    const id = await alice.send(group, { text: "spoilt for a phone" });
    expect(await gotAt(member, id)).toMatchObject({ text: "spoilt for a phone" });
    await world.post("/faults", { match: { phone: ALICE, device: 0, group }, fault: "corrupt-message" });
    const own = await alice.send(group, { text: "spoilt for the own phone" });
    expect(await gotAt(ALICE, own)).toMatchObject({ text: "spoilt for the own phone", fromMe: true });
  });
});

describe("who is not in a group", () => {
  test("cannot write to it: the ack says 403, and nobody gets it", async () => {
    const group = await world.group(carol, "Closed", [BOB]);
    const { participants } = await bob.socket.groupMetadata(group);
    const metadata = { id: group, participants, subject: "", owner: undefined } as never;
    await alice.connectAgain({ cachedGroupMetadata: () => Promise.resolve(metadata) });
    const id = await alice.send(group, { text: "let me in" });
    await until(() => alice.acks.some((ack) => ack.id === id));
    expect(alice.acks).toContainEqual({ id, error: "403" });
    await until(() => stubParametersOf(id).includes("403"));
    const control = await world.write(BOB, carol, "control");
    await gotAt(carol, control);
    expect((await world.inbox(carol)).map((each) => each.id)).toEqual([control]);
    await alice.connectAgain();
  });

  test("gets nothing any more after being removed, and cannot read what was meant for others", async () => {
    const group = await world.group(carol, "Shrinking", [ALICE, BOB]);
    await bob.message(await world.write(carol, group, "before"));
    await world.post(`/phones/${carol}/groups/${group}`, { remove: [BOB] });
    const id = await world.write(carol, group, "after");
    await alice.message(id);
    const direct = await world.write(carol, BOB, "to Bob alone");
    await bob.message(direct);
    expect(bob.received.some(({ key }) => key.id === id)).toBe(false);
    await world.post(`/phones/${carol}/groups/${group}`, { add: [BOB] });
    await bob.message(await world.write(carol, group, "welcome back"));
    const back = await bob.send(group, { text: "thanks" });
    expect(await gotAt(carol, back)).toMatchObject({ text: "thanks" });
  });
});

test("a phone takes a new sender key when somebody has left", async () => {
  const group = await world.group(carol, "Keys", [ALICE, BOB]);
  await alice.message(await world.write(carol, group, "first key"));
  const keys = async () => {
    const { body } = await world.get(`/trace?phone=${ALICE}&since=0`);
    return (body as unknown as { stanza: { attrs: Record<string, string>; content: { attrs: object }[] } }[])
      .filter(({ stanza }) => stanza.attrs["from"] === group && stanza.attrs["type"] === "text")
      .map(({ stanza }) => stanza.content.length);
  };
  await alice.message(await world.write(carol, group, "same key"));
  expect(await keys()).toContain(1);
  const before = (await keys()).filter((parts) => parts > 1).length;
  await world.post(`/phones/${BOB}/groups/${group}`, { leave: true });
  await alice.message(await world.write(carol, group, "another key"));
  expect((await keys()).filter((parts) => parts > 1).length).toBeGreaterThan(before);
});

test("a device that is linked later gets what comes from then on, until it is unlinked", async () => {
  const group = await world.group(carol, "Growing", [ALICE, BOB]);
  await bob.message(await world.write(carol, group, "before"));
  await bob.message(await alice.send(group, { text: "before, too" }));
  const before = await retries();
  const late = await world.linked(BOB);
  const ids = [await world.write(carol, group, "from a phone"), await alice.send(group, { text: "from a client" })];
  for (const id of ids) await late.message(id);
  const own = await late.send(group, { text: "from the new device" });
  await bob.message(own);
  expect(await gotAt(carol, own)).toMatchObject({ from: BOB, copies: 1 });
  expect(await retries()).toEqual(before);
  await world.post(`/phones/${BOB}/unlink`, { device: 2 });
  await until(() => late.closes.includes(401));
  await bob.message(await world.write(carol, group, "after"));
  await bob.message(await alice.send(group, { text: "after, too" }));
  expect(await retries()).toEqual(before);
});

test("only admins write to an announcement group", async () => {
  const group = await world.group(carol, "News", [ALICE]);
  await world.post(`/phones/${carol}/groups/${group}`, { settings: { announcement: true } });
  const refused = await alice.send(group, { text: "a question" });
  await until(() => alice.acks.some(({ id, error }) => id === refused && error === "403"));
  await alice.message(await world.write(carol, group, "the news"));
  await world.post(`/phones/${carol}/groups/${group}`, { promote: [ALICE] });
  const allowed = await alice.send(group, { text: "more news" });
  expect(await gotAt(carol, allowed)).toMatchObject({ text: "more news" });
  await world.post(`/phones/${carol}/groups/${group}`, { demote: [ALICE] });
  const { status, body } = await world.post(`/phones/${ALICE}/messages`, { to: group, text: "on the phone" });
  expect([status, body.error.code]).toEqual([409, "not_allowed"]);
});

test("faults can be for one group alone", async () => {
  const [troubled, fine] = [await world.group(carol, "Troubled", [ALICE]), await world.group(carol, "Fine", [ALICE])];
  await world.post("/faults", { match: { group: troubled }, fault: "ack-error", code: 420, count: 1 });
  const [lost, arrived] = [await alice.send(troubled, { text: "lost" }), await alice.send(fine, { text: "arrived" })];
  await gotAt(carol, arrived);
  await until(() => alice.acks.some(({ id }) => id === lost));
  expect(alice.acks).toContainEqual({ id: lost, error: "420" });
  expect(alice.acks).toContainEqual({ id: arrived, error: undefined });
  expect((await world.inbox(carol)).map(({ id }) => id)).toEqual([arrived]);
});

test.each([420, 463])(
  "a first message refused with %i: Baileys says so, and the next one, without its key, is asked for again",
  async (code) => {
    const group = await world.group(carol, "Refused", [ALICE]);
    await world.post("/faults", { match: { group }, fault: "ack-error", code, count: 1 });
    const refused = await alice.send(group, { text: "refused" });
    await until(() => stubParametersOf(refused).length > 0);
    expect(stubParametersOf(refused)[0]).toBe(String(code));
    const { fromPhones } = await retries();
    const arrived = await alice.send(group, { text: "arrived" });
    expect(await gotAt(carol, arrived)).toMatchObject({ chat: group, from: ALICE, text: "arrived" });
    expect((await retries()).fromPhones).toBeGreaterThan(fromPhones);
    expect((await world.inbox(carol)).map(({ id }) => id)).toEqual([arrived]);
  },
);

test("a fault for a group strikes the connections of its members", async () => {
  const group = await world.group(carol, "Struck", [BOB]);
  const [own, others] = [bob.closes.length, alice.closes.length];
  await world.post("/faults", { match: { group }, fault: "drop" });
  await until(() => bob.closes.length === own + 1);
  expect([bob.closes.at(-1), alice.closes.length]).toEqual([428, others]);
  await bob.connectAgain();
});

test("a group of whom one is away catches up in order", async () => {
  const group = await world.group(carol, "Away", [BOB]);
  await bob.message(await world.write(carol, group, "before"));
  await world.settled(BOB);
  await bob.end();
  const ids = [await world.write(carol, group, "one"), await world.write(carol, group, "two")];
  bob = await world.back(bob);
  await until(() => bob.texts().length === 2);
  expect(bob.texts()).toMatchObject(ids.map((id) => ({ id, upsert: "append" })));
});
