import { afterEach, describe, expect, test } from "vitest";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { ourParty, plainParty } from "./testing/signal-party.ts";
import type { Ciphertext, SignalParty } from "./testing/signal-party.ts";

const OUR_LID = "100000000000001:3@lid";
const THEIR_LID = "100000000000002@lid";
const THEIR_NUMBER = "15550000002@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";

const opened: { close: () => Promise<void> }[] = [];
const ours = async (jid = OUR_LID, storage?: MemoryStorage, epoch?: number) => {
  const one = await ourParty(jid, storage, epoch);
  opened.push(one.state);
  return one;
};
afterEach(async () => {
  await Promise.all(opened.splice(0).map((state) => state.close()));
});

async function talk(us: SignalParty, them: SignalParty) {
  await us.startSession(them);
  await them.decrypt(us, await us.encrypt(them, "hello"));
  await us.decrypt(them, await them.encrypt(us, "hello back"));
}

describe("a message that was decrypted", () => {
  test("is in the journal, in the same append as its ratchet step", async () => {
    const { party: us, state, stats } = await ours();
    const them = plainParty(THEIR_LID);
    await talk(us, them);
    await state.durable();
    const before = state.appends;
    await us.decrypt(them, await them.encrypt(us, "secret"));
    const entry = [...state.inbox.values()].at(-1);
    expect(entry).toMatchObject({ attrs: { id: "stanza" }, kind: "msg", plain: Buffer.from("secret") });
    await state.durable();
    expect(state.appends).toBe(before + 1);
    expect(stats).toEqual({ redelivered: 0, torn: 0 });
  });

  test.each(["msg", "pkmsg"])(
    "is answered from the journal when its %s comes again, after a crash as well",
    async (type) => {
      const storage = new MemoryStorage();
      const { party: us, state } = await ours(OUR_LID, storage);
      const them = plainParty(THEIR_LID);
      if (type === "msg") await talk(us, them);
      else await them.startSession(us);
      const sent = await them.encrypt(us, "once");
      expect(sent.type).toBe(type);
      expect(await us.decrypt(them, sent)).toBe("once");
      await state.durable();

      const { party: again, stats } = await ours(OUR_LID, storage, 2);
      expect(await again.decrypt(them, sent)).toBe("once");
      expect(stats).toEqual({ redelivered: 1, torn: 0 });
      expect(await again.decrypt(them, await them.encrypt(us, "next"))).toBe("next");
    },
  );

  test("but was not durable when the process died can be decrypted once more", async () => {
    const storage = new MemoryStorage();
    const { party: us, state } = await ours(OUR_LID, storage);
    const them = plainParty(THEIR_LID);
    await talk(us, them);
    await state.durable();
    const sent = await them.encrypt(us, "twice");
    const successor = await ours(OUR_LID, storage, 2);
    expect(await us.decrypt(them, sent)).toBe("twice");
    await expect(state.durable()).rejects.toMatchObject({ reason: "fenced" });
    expect(await successor.party.decrypt(them, sent)).toBe("twice");
  });

  test("and cannot be read is not in the journal", async () => {
    const { party: us, state } = await ours();
    const them = plainParty(THEIR_LID);
    await talk(us, them);
    const { size } = state.inbox;
    const { type, ciphertext } = await them.encrypt(us, "damaged on its way");
    const damaged = Buffer.from(ciphertext);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 12) ^ 1, damaged.length - 12);
    await expect(us.decrypt(them, { type, ciphertext: damaged })).rejects.toThrow();
    expect(state.inbox.size).toBe(size);
  });
});

describe("a contact's session", () => {
  test("survives that a message is encrypted before and sent after its state was durable", async () => {
    const storage = new MemoryStorage();
    const { party: us, state } = await ours(OUR_LID, storage);
    const them = plainParty(THEIR_LID);
    await talk(us, them);
    const sent = await us.encrypt(them, "just before the crash");
    await state.durable();
    const { party: again } = await ours(OUR_LID, storage, 2);
    expect(await them.decrypt(us, sent)).toBe("just before the crash");
    expect(await them.decrypt(us, await again.encrypt(them, "and after"))).toBe("and after");
  });

  test("is one, by number and by LID: sending and receiving at once confuses neither side", async () => {
    const { party: us, stats } = await ours();
    const them = plainParty(THEIR_LID);
    await us.repository.lidMapping.storeLIDPNMappings([{ lid: THEIR_LID, pn: THEIR_NUMBER }]);
    await talk(us, them);
    const turns = Array.from({ length: 40 }, (_, turn) => turn);
    const incoming = await inTurn(turns, (turn) => them.encrypt(us, `in ${turn}`));
    const [read, outgoing] = await Promise.all([
      Promise.all(incoming.map((sent) => us.decrypt(them, sent, THEIR_LID))),
      Promise.all(turns.map((turn) => us.encrypt(them, `out ${turn}`, THEIR_NUMBER))),
    ]);
    expect(read).toEqual(turns.map((turn) => `in ${turn}`));
    const arrived = await inTurn(outgoing, (sent) => them.decrypt(us, sent));
    expect(arrived.sort()).toEqual(turns.map((turn) => `out ${turn}`).sort());
    expect(stats.torn).toBe(0);
  });
});

describe("two sessions in one record", () => {
  /** Both sides begin at once, so each goes on in the session that the other began; then one begins anew. */
  async function crossfire(us: SignalParty, them: SignalParty): Promise<string[]> {
    const unreadable: string[] = [];
    const receive = async (sent: Ciphertext, text: string) => {
      await us.decrypt(them, sent).catch(() => unreadable.push(text));
    };
    const send = async (text: string) => {
      const sent = await us.encrypt(them, text);
      await them.decrypt(us, sent).catch(() => unreadable.push(`our ${text}`));
    };
    await us.startSession(them);
    await them.startSession(us);
    const [ours, theirs] = [await us.encrypt(them, "a"), await them.encrypt(us, "b")];
    await receive(theirs, "b");
    await them.decrypt(us, ours);
    const late: [Ciphertext, string][] = [];
    for (let round = 0; round < 6; round++) {
      const text = `round ${round}`;
      late.push([await them.encrypt(us, `late ${text}`), `late ${text}`]);
      if (round === 3) await them.startSession(us);
      await receive(await them.encrypt(us, text), text);
      await send(text);
    }
    for (const [sent, text] of late) await receive(sent, text);
    return unreadable;
  }

  test("do not spoil each other, as they do in the repository as it comes", async () => {
    // Phones keep sessions apart, so the other side must not be the repository as it comes.
    const healthy = async (jid: string) => (await ours(jid)).party;
    expect(await crossfire(await healthy(OUR_LID), await healthy(THEIR_LID))).toEqual([]);
    expect(await crossfire(plainParty(OUR_LID), await healthy(THEIR_LID))).not.toEqual([]);
  });
});

describe("a group", () => {
  const groupText = async (party: SignalParty, author: string, msg: Uint8Array) =>
    Buffer.from(await party.repository.decryptGroupMessage({ group: GROUP, authorJid: author, msg })).toString();
  const send = (party: SignalParty, text: string) =>
    party.repository.encryptGroupMessage({ group: GROUP, meId: party.jid, data: Buffer.from(text) });
  const distribute = (from: SignalParty, to: SignalParty, axolotlSenderKeyDistributionMessage: Uint8Array) =>
    to.repository.processSenderKeyDistributionMessage({
      item: { groupId: GROUP, axolotlSenderKeyDistributionMessage },
      authorJid: from.jid,
    });

  test("message that comes late can be read, after a restart and after the key was distributed often", async () => {
    const storage = new MemoryStorage();
    const { party: us, state } = await ours(OUR_LID, storage);
    const them = plainParty(THEIR_LID);
    const sent = await inTurn(["1", "2", "3"], (text) => send(them, text));
    const [first, second, third] = sent.map(({ ciphertext }) => ciphertext);
    if (!first || !second || !third || !sent[0]) throw new Error("three were sent");
    await distribute(them, us, sent[0].senderKeyDistributionMessage);
    expect(await groupText(us, them.jid, third)).toBe("3");
    for (let copy = 0; copy < 6; copy++) {
      const key = await them.repository.getSenderKeyDistributionMessage({ group: GROUP, meId: them.jid });
      await distribute(them, us, key);
    }
    await state.durable();
    const { party: again } = await ours(OUR_LID, storage, 2);
    expect(await groupText(again, them.jid, first)).toBe("1");
    expect(await groupText(again, them.jid, second)).toBe("2");
    expect(await groupText(again, them.jid, first)).toBe("1");
  });

  test("record of our own does not grow with every message sent", async () => {
    const { party: us, state } = await ours();
    const them = plainParty(THEIR_LID);
    const sent = await inTurn(
      Array.from({ length: 30 }, (_, turn) => String(turn)),
      (text) => send(us, text),
    );
    const id = `${GROUP}::100000000000001_1::3`;
    const record = state.get("sender-key", [id])[id];
    expect(Buffer.from(record as Buffer).length).toBeLessThan(500);
    if (sent[0]) await distribute(us, them, sent[0].senderKeyDistributionMessage);
    const read = await inTurn(sent, ({ ciphertext }) => groupText(them, us.jid, ciphertext));
    expect(read).toEqual(sent.map((_, turn) => String(turn)));
  });

  test("never sees one key used for two messages, however many are sent at once", async () => {
    const { party: us } = await ours();
    const them = plainParty(THEIR_LID);
    const texts = Array.from({ length: 20 }, (_, turn) => String(turn));
    const key = await us.repository.getSenderKeyDistributionMessage({ group: GROUP, meId: us.jid });
    await distribute(us, them, key);
    const sent = await Promise.all(texts.map((text) => send(us, text)));
    const read = await inTurn(sent, ({ ciphertext }) => groupText(them, us.jid, ciphertext));
    expect(read).toEqual(texts);
  });
});

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
