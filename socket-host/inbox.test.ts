import { aesEncryptGCM, encodeWAMessage, hmacSign, proto } from "@whiskeysockets/baileys";
import type { BinaryNodeAttributes } from "@whiskeysockets/baileys";
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { testDatabase, testUser } from "../local/testing/test-database.ts";
import * as devices from "../shared/db/devices.ts";
import * as events from "../shared/db/events.ts";
import { select } from "../shared/db/pool.ts";
import type { Database, Runner } from "../shared/db/pool.ts";
import type { DeviceId } from "../shared/ids.ts";
import { createLog } from "../shared/log.ts";
import { eventually } from "../tests/support/eventually.ts";
import type { DeviceState, JournalEntry } from "./device-state/state.ts";
import { Inbox } from "./inbox.ts";
import type { MessageReaders } from "./inbox.ts";
import type { IncomingMessage } from "./whatsapp/decode/incoming-message.ts";
import { receiptEntry, unavailableEntry } from "./whatsapp/decode/journaled.ts";
import type { Receipt } from "./whatsapp/decode/receipt.ts";
import { newCredentials } from "./whatsapp/credentials.ts";
import type { Credentials } from "./whatsapp/credentials.ts";

const SENDER = "6281234567890@s.whatsapp.net";

/** The journal of a device as a crash leaves it: what was durable and not forgotten. */
function journalOf(entries: Record<string, JournalEntry>) {
  const creds = newCredentials();
  creds.me = { id: "6281100000001:1@s.whatsapp.net", lid: "91100000001:1@lid" };
  const inbox = new Map(Object.entries(entries));
  const state = {
    creds,
    inbox,
    onJournaled: (_keys: string[]) => {},
    journal: (key: string, entry: JournalEntry) => void inbox.set(key, entry),
    forget: (key: string) => void inbox.delete(key),
    failed: undefined,
    get: () => ({}),
    getOutbox: (id: string) => (id === "OURS" ? { to: SENDER, bytes: Buffer.alloc(0), at: 0 } : undefined),
  };
  return state as typeof state & DeviceState<Credentials>;
}

function textEntry(id: string, text: string, attrs: BinaryNodeAttributes = {}): JournalEntry {
  const plain = encodeWAMessage({ conversation: text });
  return { attrs: { id, from: SENDER, t: "1795357369", type: "text", ...attrs }, kind: "msg", plain, at: Date.now() };
}

const KEYS_OF_A_GROUP: JournalEntry = {
  ...textEntry("KEYS", "x"),
  plain: encodeWAMessage({ senderKeyDistributionMessage: { groupId: "1@g.us" } }),
};

describe("the inbox of a device", () => {
  let database: Database;
  const deviceId = "inbox" as DeviceId;
  const receipts: Receipt[] = [];
  const nobody: MessageReaders = {
    persist: () => Promise.resolve({ isKept: false, write: async () => {} }),
    store: () => Promise.resolve(),
  };
  let overflows = 0;
  const onOverflow = () => void overflows++;
  const recordReceipt = async (receipt: Receipt) => void receipts.push(receipt);
  const open = (state: DeviceState<Credentials>, on: Database = database, readers = nobody) =>
    new Inbox({
      database: on,
      deviceId,
      epoch: 1,
      state,
      log: createLog("test", "silent"),
      recordReceipt,
      findMessage: () => Promise.resolve(undefined),
      readers,
      onOverflow,
    });
  const recorded = async (messageId: string) =>
    (await events.listAfter(database, deviceId, 0, 1_000)).filter(
      (event) => "messageId" in event.data && event.data.messageId === messageId,
    );

  beforeAll(async () => {
    database = await testDatabase();
    await devices.create(database, { deviceId, userId: await testUser(database), deviceName: null }, 1);
  });

  it("makes events of what a crash left in the journal, once however often it is offered", async () => {
    const entries = { k1: textEntry("M1", "pertama", { notify: "Ani" }), k2: textEntry("M1", "pertama") };
    for (let life = 0; life < 3; life++) {
      const inbox = open(journalOf(entries));
      await inbox.idle();
      await inbox.close();
    }
    const found = await recorded("M1");
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      type: "message.received",
      data: { chat: SENDER, fromMe: false, text: "pertama", sender: { phone: "6281234567890", name: "Ani" } },
    });
  });

  it("forgets an entry only when its event is stored and the server has acknowledged the receipt", async () => {
    const state = journalOf({ a: textEntry("M2", "a"), b: textEntry("M3", "b") });
    const inbox = open(state);
    await inbox.idle();
    expect([...state.inbox.keys()]).toEqual(["a", "b"]);
    inbox.onReceiptAck("M3");
    expect([...state.inbox.keys()]).toEqual(["a"]);
    await inbox.close();
  });

  it("tries again while the database is away, and keeps the order", async () => {
    let isAway = true;
    const pool = new Proxy(database.pool, {
      get: (target, name) =>
        name === "getConnection" && isAway
          ? () => Promise.reject(new Error("away"))
          : (Reflect.get(target, name) as unknown),
    });
    const state = journalOf({ a: textEntry("M4", "a") });
    const inbox = open(state, { ...database, pool });
    await inbox.idle();
    state.inbox.set("b", textEntry("M5", "b"));
    state.onJournaled(["b"]);
    inbox.onReceiptAck("M4");
    expect(state.inbox.has("a")).toBe(true);
    isAway = false;
    await eventually("both are events", 5_000, async () => (await recorded("M5")).length === 1);
    const [first, second] = [await recorded("M4"), await recorded("M5")];
    expect(first[0]?.sequence).toBeLessThan(second[0]?.sequence ?? 0);
    await inbox.close();
  });

  it("records a receipt that a crash left in the journal, and forgets it", async () => {
    const receipt: Receipt = { chat: SENDER, participant: null, messageIds: ["OURS"], status: "read" };
    const state = journalOf(Object.fromEntries([receiptEntry(receipt)]));
    const inbox = open(state);
    await inbox.idle();
    expect(receipts).toEqual([receipt]);
    expect(state.inbox.size).toBe(0);
    await inbox.close();
  });

  it("gives each batch to whoever else keeps messages, in the transaction of its events and after it", async () => {
    const told: string[] = [];
    const readers = {
      persist: async (messages: readonly IncomingMessage[]) => ({
        isKept: true,
        write: async (runner: Runner) => {
          const sql = "SELECT COUNT(*) AS found FROM events WHERE data LIKE ? AND unkept_at IS NULL";
          const [row] = await select<{ found: number }>(runner, sql, ["%berdua%"]);
          told.push(
            `persist ${messages.length} with ${row?.found} events, ${(await recorded("M12")).length} committed`,
          );
        },
      }),
      store: async (messages: readonly IncomingMessage[]) => {
        told.push(
          `store ${messages.map(({ messageId }) => messageId).join()}, ${(await recorded("M12")).length} committed`,
        );
      },
    };
    const inbox = open(journalOf({ a: textEntry("M12", "berdua"), b: textEntry("M13", "berdua") }), database, readers);
    await inbox.idle();
    expect(told).toEqual(["persist 2 with 2 events, 0 committed", "store M12,M13, 1 committed"]);
    await inbox.close();
  });

  it("tells what a vote is for also when it came together with its poll", async () => {
    const messageSecret = Buffer.alloc(32, 5);
    const poll = encodeWAMessage({
      messageContextInfo: { messageSecret },
      pollCreationMessage: { name: "Makan?", options: [{ optionName: "Soto" }, { optionName: "Rawon" }] },
    });
    // As decryptPollVote (lib/Utils/process-message.js) has it; the sender votes in a poll of their own.
    const about = Buffer.concat([Buffer.from(`POLL${SENDER}${SENDER}Poll Vote`), Buffer.from([1])]);
    const secret = hmacSign(about, hmacSign(messageSecret, Buffer.alloc(32)));
    const selectedOptions = [createHash("sha256").update("Rawon").digest()];
    const chosen = proto.Message.PollVoteMessage.encode({ selectedOptions }).finish();
    const encIv = Buffer.alloc(12, 1);
    const vote = { encPayload: aesEncryptGCM(chosen, secret, encIv, Buffer.from(`POLL\0${SENDER}`)), encIv };
    const pollCreationMessageKey = { remoteJid: SENDER, fromMe: true, id: "POLL" };
    const inbox = open(
      journalOf({
        poll: { ...textEntry("POLL", "x"), plain: poll },
        vote: {
          ...textEntry("VOTE", "x"),
          plain: encodeWAMessage({ pollUpdateMessage: { pollCreationMessageKey, vote } }),
        },
      }),
    );
    await inbox.idle();
    expect(await recorded("VOTE")).toMatchObject([
      { data: { messageType: "poll_vote", selectedOptions: ["Rawon"], target: { messageId: "POLL" } } },
    ]);
    await inbox.close();
  });

  it("says when too much waits for a database that is away", async () => {
    const pool = new Proxy(database.pool, { get: () => () => Promise.reject(new Error("away")) });
    const many = Array.from({ length: 2_001 }, (_, n) => [`k${n}`, textEntry(`N${n}`, "x")] as const);
    const inbox = open(journalOf(Object.fromEntries(many)), { ...database, pool });
    await inbox.idle();
    expect(overflows).toBe(1);
    await inbox.close();
  });

  it("records a long backlog in order, in transactions of a size that the database takes", async () => {
    const many = Array.from({ length: 450 }, (_, n) => [`b${n}`, textEntry(`B${n}`, "x")] as const);
    const batches: number[] = [];
    const readers = { ...nobody, store: async ({ length }: readonly IncomingMessage[]) => void batches.push(length) };
    const inbox = open(journalOf(Object.fromEntries(many)), database, readers);
    await inbox.idle();
    expect(batches).toEqual([200, 200, 50]);
    const sequences = await Promise.all(["B0", "B199", "B200", "B449"].map((id) => recorded(id)));
    const [first = 0, ...others] = sequences.map(([event]) => event?.sequence);
    expect(others).toEqual([first + 199, first + 200, first + 449]);
    await inbox.close();
  });

  it("says when the server does not acknowledge what it was told, as the journal must not grow without end", async () => {
    const before = overflows;
    const state = journalOf(Object.fromEntries(Array.from({ length: 5_001 }, (_, n) => [`u${n}`, KEYS_OF_A_GROUP])));
    const inbox = open(state);
    await inbox.idle();
    expect(overflows).toBe(before);
    state.onJournaled(["u1"]);
    expect(overflows).toBe(before + 1);
    await inbox.close();
  });

  describe("with a message for Baileys itself", () => {
    const share = { keys: [{ keyId: { keyId: Buffer.from("AA==", "base64") } }] };
    const notice = { syncType: proto.HistorySync.HistorySyncType.RECENT, chunkOrder: 2 };
    const { APP_STATE_SYNC_KEY_SHARE, HISTORY_SYNC_NOTIFICATION } = proto.Message.ProtocolMessage.Type;
    const peer = (protocolMessage: proto.Message.IProtocolMessage): JournalEntry => ({
      ...textEntry("PEER", "x", { category: "peer", offline: "0" }),
      plain: encodeWAMessage({ protocolMessage }),
    });
    const keys = peer({ type: APP_STATE_SYNC_KEY_SHARE, appStateSyncKeyShare: share });
    const history = peer({ type: HISTORY_SYNC_NOTIFICATION, historySyncNotification: notice });

    it("keeps it until its effect is there", async () => {
      const state = journalOf({ keys, history });
      const known: Record<string, unknown> = {};
      const inbox = open(Object.assign(state, { get: () => known }));
      await inbox.idle();
      inbox.onReceiptAck("PEER");
      expect([...state.inbox.keys()]).toEqual(["keys", "history"]);
      known["AA=="] = "the key";
      inbox.onReceiptAck("PEER");
      expect([...state.inbox.keys()]).toEqual(["history"]);
      inbox.onHistoryStored({ syncType: 3, chunkOrder: 1, requestId: undefined });
      expect(state.inbox.size).toBe(1);
      inbox.onHistoryStored({ syncType: 3, chunkOrder: 2, requestId: undefined });
      expect(state.inbox.size).toBe(0);
      await inbox.close();
    });

    it("keeps a message without content until our phone has passed it on", async () => {
      const state = journalOf(Object.fromEntries([unavailableEntry({ id: "M15", from: SENDER }, "")]));
      const inbox = open(state);
      await inbox.idle();
      expect([...state.inbox.keys()]).toEqual(["unavailable:M15"]);
      state.inbox.set("answer", textEntry("M15", "ini dia"));
      state.onJournaled(["answer"]);
      await inbox.idle();
      expect([...state.inbox.keys()]).toEqual(["answer"]);
      await inbox.close();
    });

    it("gives it to Baileys again when a crash came before the effect, and not what is done or too old", async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      try {
        const old = { ...history, at: Date.now() - 25 * 3_600_000 };
        const state = journalOf({ keys, history, old, text: textEntry("M14", "biasa") });
        const inbox = open(Object.assign(state, { get: () => ({ "AA==": "the key" }) }));
        const again: JournalEntry[] = [];
        inbox.onConnecting();
        state.inbox.set("live", keys);
        inbox.onCaughtUp((entry) => void again.push(entry));
        await vi.waitFor(async () => expect(await recorded("M14")).toHaveLength(1));
        await inbox.idle();
        vi.advanceTimersByTime(10_000);
        expect(again).toEqual([history]);
        expect([...state.inbox.keys()]).toEqual(["history", "live"]);
        await inbox.close();
      } finally {
        vi.useRealTimers();
      }
    });
  });

  it("passes over what makes no event, and what nobody can read", async () => {
    const state = journalOf({
      odd: { ...textEntry("M6", "x"), plain: Buffer.from([1, 2, 3]) },
      strange: textEntry("M7", "x", { from: "nobody@nowhere" }),
      keys: {
        ...textEntry("M8", "x"),
        plain: encodeWAMessage({ senderKeyDistributionMessage: { groupId: "1@g.us" } }),
      },
      good: textEntry("M9", "baik"),
    });
    const inbox = open(state);
    await inbox.idle();
    expect(await recorded("M9")).toHaveLength(1);
    for (const id of ["M6", "M7", "M8"]) expect(await recorded(id)).toEqual([]);
    for (const id of ["M6", "M7", "M8", "M9"]) inbox.onReceiptAck(id);
    expect(state.inbox.size).toBe(0);
    await inbox.close();
  });

  it("writes nothing for a host whose lease is over", async () => {
    await devices.setStatus(database.pool, deviceId, 7, {
      status: "connected",
      statusReason: null,
      connectionAttempts: 0,
    });
    const late = open(journalOf({ b: textEntry("M11", "b") }));
    await late.idle();
    expect(await recorded("M11")).toEqual([]);
    await late.close();
  });
});
