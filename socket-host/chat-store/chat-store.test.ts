import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { newCredentials } from "../whatsapp/credentials.ts";
import { until } from "../whatsapp/testing/until.ts";
import { expiredPages } from "./expired-pages.ts";
import { Fingerprints } from "./fingerprints.ts";
import type { StoredMessage } from "./stored-message.ts";
import { BYTES, message, openChats } from "./testing/test-chats.ts";
import type { Draft } from "./testing/test-chats.ts";

const BUDI = "6281100000001@s.whatsapp.net";
const SITI = "6281100000002@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";
/** With texts so long, a page is full after about 20 messages and memory after 40. */
const LONG = "panjang ".repeat(800);

type Life = Awaited<ReturnType<typeof openChats>>;

/** Reads a whole chat in parts, each begun at the last message of the one before. */
async function readAll({ reader }: Life, chat: string, limit: number): Promise<StoredMessage[]> {
  const all: StoredMessage[] = [];
  for (;;) {
    const { messages, hasMore } = await reader.part(chat, limit, all.at(-1));
    all.push(...messages);
    if (!hasMore) return all;
  }
}

const idsOf = (messages: StoredMessage[]) => messages.map(({ id }) => id);

describe("the chat store", () => {
  it(
    "gives every message once, in order, whatever is in memory, in pages, repeated, or cut off by crashes",
    { timeout: 60_000 },
    async () => {
      const draft = fc.record({
        chat: fc.constantFrom(BUDI, SITI, GROUP),
        // Whole seconds, so that many share one; ids from few, so that many repeat.
        at: fc.integer({ min: 1, max: 30 }).map((second) => second * 1000),
        number: fc.integer({ min: 0, max: 150 }),
        fromMe: fc.boolean(),
      });
      const step = fc.oneof(
        { weight: 12, arbitrary: fc.array(draft, { minLength: 1, maxLength: 30 }) },
        { weight: 1, arbitrary: fc.constant("crash" as const) },
        { weight: 1, arbitrary: fc.constant("close" as const) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 14 }), fc.integer({ min: 1, max: 40 }), async (steps, limit) => {
          const storage = new MemoryStorage();
          let epoch = 1;
          let life = await openChats(storage, epoch);
          const model = new Map<string, Draft>();
          for (const one of steps) {
            if (typeof one === "string") {
              // What was given is durable here: what is not, the journal would give again.
              await life.state.flush();
              if (one === "close") await life.store.idle();
              if (one === "close") await life.state.close();
              life = await openChats(storage, ++epoch);
              continue;
            }
            const drafts = one.map(({ number, ...rest }) => ({ ...rest, id: `ID${number}`, sender: SITI, text: LONG }));
            await life.store.take(drafts.map(message));
            for (const each of drafts) {
              const key = [each.chat, each.id, each.fromMe].join();
              if (!model.has(key)) model.set(key, each);
            }
          }
          await life.store.idle();
          expect(life.store.records.messageBytes).toBeLessThan(300 << 10);
          for (const chat of [BUDI, SITI, GROUP]) {
            // Arrival decides between messages of one second; sorting is stable.
            const expected = [...model.values()].filter((each) => each.chat === chat).reverse();
            expected.sort((a, b) => b.at - a.at);
            expect(idsOf(await readAll(life, chat, limit))).toEqual(expected.map(({ id }) => id));
          }
          await life.state.close();
        }),
        { numRuns: 30, seed: 1 },
      );
    },
  );

  it("is read in parts without gaps or repeats while new messages come and pages are written", async () => {
    const life = await openChats(new MemoryStorage(), 1);
    const make = (n: number) => message({ chat: n % 3 ? BUDI : SITI, id: `M${n}`, at: 1000 * (n >> 3), text: LONG });
    await life.store.take(Array.from({ length: 150 }, (_, n) => make(n)));
    const seen: string[] = [];
    for (let next = 150; ; next += 20) {
      const before = seen.length ? await life.reader.position(BUDI, seen.at(-1) ?? "") : undefined;
      const { messages, hasMore } = await life.reader.part(BUDI, 7, before);
      seen.push(...idsOf(messages));
      if (!hasMore) break;
      await life.store.take(Array.from({ length: 20 }, (_, n) => make(next + n)));
    }
    const expected = Array.from({ length: 150 }, (_, n) => n).filter((n) => n % 3);
    expect(seen).toEqual(expected.reverse().map((n) => `M${n}`));
    expect(life.store.records.pages.size).toBeGreaterThan(2);
    await life.state.close();
  });

  it("keeps edits, deletions, reactions and receipts of messages that are in pages already", async () => {
    const storage = new MemoryStorage();
    const first = await openChats(storage, 1);
    await first.store.take([
      message({ chat: BUDI, id: "EDITED", at: 1000, text: "lama" }),
      message({ chat: BUDI, id: "DELETED", at: 2000 }),
      message({ chat: BUDI, id: "OWN", at: 3000, fromMe: true }),
      message({ chat: BUDI, id: "LIKED", at: 4000 }),
    ]);
    await fill(first);
    const about = (messageId: string, fromMe = false) => ({ target: { messageId, fromMe, sender: null } });
    const change = (id: string, at: number, content: Draft["content"] & object) =>
      message({ chat: BUDI, id, at, content });
    await first.store.take([
      change("C1", 9001, { messageType: "edit", ...about("EDITED"), text: "baru" }),
      change("C2", 9000, { messageType: "edit", ...about("EDITED"), text: "terlambat" }),
      change("C3", 9002, { messageType: "delete", ...about("DELETED") }),
      change("C4", 9003, { messageType: "reaction", ...about("LIKED"), emoji: "👍" }),
    ]);
    await first.store.advance(["OWN"], "read");
    await first.store.advance(["OWN"], "delivered");
    await first.state.close();

    const { reader, state } = await openChats(storage, 2);
    const { messages } = await reader.part(BUDI, 10, { at: 5000, n: 0 });
    expect(messages).toMatchObject([
      { id: "LIKED", reactions: { [BUDI]: "👍" } },
      { id: "OWN", status: "read" },
      { id: "DELETED", content: null },
      { id: "EDITED", content: { text: "baru" }, editedAt: 9001 },
    ]);
    await state.close();
  });

  it("lets nobody but its writer edit or delete a message by naming its id", async () => {
    const { store, reader, state } = await openChats(new MemoryStorage(), 1);
    await store.take([message({ chat: GROUP, id: "THEIRS", at: 1000, sender: BUDI, text: "asli" })]);
    const target = { messageId: "THEIRS", fromMe: false, sender: SITI };
    const edit = { messageType: "edit" as const, target, text: "palsu" };
    await store.take([message({ chat: GROUP, id: "EVIL", at: 2000, sender: SITI, content: edit })]);
    // The same id in a message of somebody else is another message.
    await store.take([message({ chat: GROUP, id: "THEIRS", at: 3000, sender: SITI, text: "palsu" })]);
    const { messages } = await reader.part(GROUP, 10, undefined);
    expect(messages).toMatchObject([{ sender: SITI }, { sender: BUDI, content: { text: "asli" } }]);
    await state.close();
  });

  it("is one chat by phone number and by LID, also where the two were not known to be one", async () => {
    const pairs = new Map<string, string>();
    const { store, reader, state } = await openChats(new MemoryStorage(), 1, pairs);
    const lid = "100000000000007@lid";
    await store.take([message({ chat: lid, id: "A", at: 1000 }), message({ chat: BUDI, id: "B", at: 2000 })]);
    await store.take([message({ chat: lid, id: "B", at: 2000 })]);
    pairs.set(lid, BUDI);
    await store.take([message({ chat: BUDI, id: "A", at: 1000 }), message({ chat: lid, id: "C", at: 3000 })]);
    for (const address of [BUDI, lid]) {
      expect(idsOf((await reader.part(address, 10, undefined)).messages)).toEqual(["C", "B", "A"]);
    }
    await state.close();
  });

  it("takes a history in pages, gives it back whole, and takes nothing of it twice", async () => {
    const storage = new MemoryStorage();
    const life = await openChats(storage, 1);
    await life.store.take([message({ chat: BUDI, id: "H7", at: 7000, text: "langsung" })]);
    const texts = Array.from({ length: 100 }, (_, n) => message({ chat: BUDI, id: `H${n}`, at: 1000 * n, text: LONG }));
    const messages = texts.map((one) => ({ at: one.sentAt.getTime(), fromMe: false, read: () => one })).reverse();
    const history = {
      contacts: [{ address: BUDI, name: "Budi" }],
      chats: [{ address: BUDI, unreadCount: 2, messages }],
    };
    await life.store.import(history);
    const pages = life.store.records.pages.size;
    await life.store.import(history);
    expect(life.store.records.pages.size).toBe(pages);
    const next = await openChats(storage, 2);
    const all = await readAll(next, BUDI, 9);
    expect(idsOf(all)).toEqual(Array.from({ length: 100 }, (_, n) => `H${99 - n}`));
    expect(all.find(({ id }) => id === "H7")?.content).toMatchObject({ text: "langsung" });
    expect(next.reader.nameOf(BUDI)).toBe("Budi");
    // Two are unread: what came before them has been read.
    expect(next.reader.readAt(BUDI)).toBe(97_000);
    await next.state.close();
  });

  it("has the bytes of own messages, which recipients may ask for again, and of media, not of others", async () => {
    const life = await openChats(new MemoryStorage(), 1);
    life.store.sending(message({ chat: BUDI, id: "OWN", at: 1000, fromMe: true }));
    const media = { mimetype: "image/jpeg", sizeBytes: 1, sha256: null };
    const image = message({ chat: BUDI, id: "IMAGE", at: 2000, content: { messageType: "image", media } });
    await life.store.take([image, message({ chat: BUDI, id: "TEXT", at: 3000 })]);
    await fill(life);
    expect(await life.reader.rawMessage("OWN")).toEqual(BYTES);
    expect(await life.reader.rawMessage("IMAGE")).toEqual(BYTES);
    expect(await life.reader.rawMessage("TEXT")).toBeUndefined();
    await life.state.close();
  });
});

describe("a crash of the host", () => {
  it("between a page and the record that names it loses nothing, doubles nothing, and the page goes later", async () => {
    const storage = new MemoryStorage();
    const dying = new MemoryStorage(storage.objects);
    const first = await openChats(dying, 1);
    await first.store.take(long(0, 35));
    await first.state.flush();
    // Pages are stored from now on, but the log takes nothing more.
    const create = dying.createIfAbsent.bind(dying);
    dying.createIfAbsent = async (key, body) => {
      if (key.startsWith("log/")) throw new Error("cut off");
      return await create(key, body);
    };
    await first.store.take(long(35, 10));
    await until(() => objects(storage).length === 1);

    const second = await openChats(storage, 2);
    expect(idsOf(await readAll(second, BUDI, 9))).toEqual(newest(35));
    const [orphan] = objects(storage);
    await fill(second);
    expect(objects(storage)).not.toContain(orphan);
    expect(idsOf(await readAll(second, BUDI, 9))).toEqual(newest(35));
    await second.state.close();
  });

  it("that does not know it has lost the device changes nothing that the owner reads, and leaves no page behind", async () => {
    const storage = new MemoryStorage();
    const zombie = await openChats(storage, 1);
    await zombie.store.take(long(0, 30));
    await zombie.state.flush();
    const owner = await openChats(storage, 2);
    await zombie.store.take(long(30, 60)).catch(() => undefined);
    await zombie.store.idle();
    expect(zombie.state.failed?.reason).toBe("fenced");
    expect(objects(storage)).toEqual([]);
    expect(idsOf(await readAll(owner, BUDI, 9))).toEqual(newest(30));
    await owner.state.close();
  });
});

describe("what is forgotten", () => {
  it("is everything when another account is linked, the pages with it", async () => {
    const storage = new MemoryStorage();
    const life = await openChats(storage, 1);
    await life.store.take([message({ chat: SITI, id: "A", at: 1, name: "Siti" })]);
    await fill(life);
    expect(objects(storage).length).toBeGreaterThan(0);
    await life.store.belongTo("6281100000008");
    await life.store.belongTo("6281100000008");
    expect(objects(storage).length).toBeGreaterThan(0);
    await life.store.belongTo("6281100000009");
    expect(objects(storage)).toEqual([]);
    const next = await openChats(storage, 2);
    expect((await next.reader.between(0, Number.MAX_SAFE_INTEGER)).length).toBe(0);
    expect(next.store.records.pages.size).toBe(0);
    expect(next.reader.nameOf(SITI)).toBeNull();
    await next.state.close();
  });

  it("is not what was said, when only the link goes: the chats stay for the same account", async () => {
    const life = await openChats(new MemoryStorage(), 1);
    await life.store.take([message({ chat: SITI, id: "A", at: 1 })]);
    await life.state.reset(newCredentials());
    expect(idsOf((await life.reader.part(SITI, 10, undefined)).messages)).toEqual(["A"]);
    await life.state.close();
  });

  it("are pages of more than 90 days ago, and of more than 128 those with the oldest messages", () => {
    const page = (name: string, storedAt: number, to: number) => {
      const none = Fingerprints.of([]);
      return { name, storedAt, from: 0, to, maxN: 0, count: 1, ids: none, chats: none };
    };
    const day = 86_400_000;
    const now = 1000 * day;
    const many = Array.from({ length: 129 }, (_, n) => page(`p${n}`, now, n === 70 ? 1 : 100 + n));
    const expired = expiredPages([page("old", now - 91 * day, 5000), ...many], now);
    expect(expired.map(({ name }) => name)).toEqual(["old", "p70"]);
  });
});

const long = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => from + n).map((n) =>
    message({ chat: BUDI, id: `L${n}`, at: 1000 * n, text: LONG }),
  );
const newest = (count: number) => Array.from({ length: count }, (_, n) => `L${count - 1 - n}`);
const objects = (storage: MemoryStorage) => [...storage.objects.keys()].filter((key) => key.includes("/chats/"));

/** So many messages of others that all that was in memory before is in pages. */
async function fill({ store }: Life): Promise<void> {
  const filling = Array.from({ length: 120 }, (_, n) =>
    message({ chat: SITI, id: `F${n}`, at: 1_000_000 + n, text: LONG }),
  );
  await store.take(filling);
  await store.idle();
}
