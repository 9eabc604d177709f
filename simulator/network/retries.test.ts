import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";

let world: World;
let alice: BaileysClient;
let bob: BaileysClient;
/** Somebody with a phone and nothing linked to it, whom Alice has not met. */
let carol: string;
let before: { fromPhones: number; fromDevices: number };

beforeAll(async () => {
  world = await World.start();
  alice = await world.linked(ALICE);
  bob = await world.linked(BOB);
});
beforeEach(async () => {
  carol = await world.person();
  before = (await world.stats()).retryReceipts;
});
afterAll(() => world.dispose());

/** Spoils the next copy that reaches this device. */
function spoil(phone: string, device: number) {
  return world.post("/faults", { match: { phone, device }, fault: "corrupt-message" });
}

async function retries() {
  const { fromPhones, fromDevices } = (await world.stats()).retryReceipts;
  return { fromPhones: fromPhones - before.fromPhones, fromDevices: fromDevices - before.fromDevices };
}

describe("a message that cannot be read at a phone", () => {
  test("is asked for again and then arrives, once, under its id, and is no repetition", async () => {
    await alice.sendText(carol, "first contact");
    await world.inbox(carol, 1);
    await spoil(carol, 0);
    const id = await alice.sendText(carol, "spoilt on the way");
    expect((await world.inbox(carol, 2)).at(-1)).toMatchObject({ id, text: "spoilt on the way", copies: 1 });
    expect(await retries()).toEqual({ fromPhones: 1, fromDevices: 0 });
    expect((await world.stats()).messages.repeatedIds).toEqual([]);
    await alice.sendText(carol, "and on it goes");
    expect((await world.inbox(carol, 3)).at(-1)).toMatchObject({ text: "and on it goes" });
  });

  test("recovers on first contact, too", async () => {
    await spoil(carol, 0);
    const id = await alice.sendText(carol, "first contact, spoilt");
    expect(await world.inbox(carol, 1)).toMatchObject([{ id, copies: 1 }]);
  });

  test("recovers at the sender's own phone", async () => {
    await spoil(ALICE, 0);
    const id = await alice.sendText(carol, "own copy spoilt");
    await until(async () => {
      const inbox = await world.inbox(ALICE);
      return inbox.some((each) => each.id === id && each.chat === carol);
    });
    expect(await retries()).toEqual({ fromPhones: 1, fromDevices: 0 });
  });
});

describe("a message that cannot be read at a client", () => {
  test.each(["the first one", "a later one"])("is asked for again and then arrives: %s", async (which) => {
    if (which === "a later one") {
      const id = await world.write(carol, ALICE, "before");
      await until(() => alice.texts().some((each) => each.id === id));
    }
    await spoil(ALICE, 1);
    const spoilt = await world.write(carol, ALICE, "spoilt on the way");
    await until(() => alice.texts().some(({ id }) => id === spoilt));
    expect(await retries()).toEqual({ fromPhones: 0, fromDevices: 1 });
    const next = await world.write(carol, ALICE, "and on it goes");
    await until(() => alice.texts().some(({ id }) => id === next));
    await alice.sendText(carol, "both ways");
    await world.inbox(carol, 1);
    await world.settled(ALICE);
  });

  test("recovers if its own phone wrote it", async () => {
    await spoil(ALICE, 1);
    const id = await world.write(ALICE, carol, "typed on the phone");
    await until(() => alice.texts().some((each) => each.id === id && each.fromMe));
    expect(await retries()).toEqual({ fromPhones: 0, fromDevices: 1 });
  });

  test("recovers if another client sent it", async () => {
    await spoil(BOB, 1);
    const id = await alice.sendText(BOB, "from client to client");
    await until(() => bob.texts().some((each) => each.id === id));
    expect(await retries()).toEqual({ fromPhones: 0, fromDevices: 1 });
  });
});

test("a message that nobody can ever read is asked for five times and then let be", async () => {
  const enc = { tag: "enc", attrs: { v: "2", type: "msg" }, content: Buffer.alloc(40) };
  const copy = { tag: "to", attrs: { jid: `${carol}@s.whatsapp.net` }, content: [enc] };
  const participants = { tag: "participants", attrs: {}, content: [copy] };
  const attrs = { id: "GARBAGE", to: `${carol}@s.whatsapp.net`, type: "text" };
  const { undecryptable } = await world.stats();
  for (let i = 0; i < 7; i++) await alice.socket.sendNode({ tag: "message", attrs, content: [participants] });
  await until(async () => (await world.stats()).undecryptable === undecryptable + 7);
  expect(await retries()).toEqual({ fromPhones: 5, fromDevices: 0 });
  await alice.sendText(carol, "this one is fine");
  expect(await world.inbox(carol, 1)).toMatchObject([{ text: "this one is fine" }]);
});
