import { beforeAll, describe, expect, it } from "vitest";
import { testDatabase, testUser } from "../../local/testing/test-database.ts";
import type { NewEvent } from "../events.ts";
import type { DeviceId } from "../ids.ts";
import * as devices from "./devices.ts";
import * as events from "./events.ts";
import { transaction } from "./pool.ts";
import type { Database } from "./pool.ts";

const fact = (n: number, dedupeKey: string | null = `key-${n}`): NewEvent => ({
  type: "message.status",
  data: { messageId: String(n), chat: "6281234567890@s.whatsapp.net", participant: null, status: "delivered" },
  dedupeKey,
  occurredAt: new Date(),
});

describe("the event log of a device", () => {
  let database: Database;
  const deviceId = "logged" as DeviceId;
  const append = (facts: NewEvent[]) => transaction(database, (runner) => events.append(runner, deviceId, 1, facts));

  beforeAll(async () => {
    database = await testDatabase();
    await devices.create(database, { deviceId, userId: await testUser(database), deviceName: null }, 1);
  });

  it("numbers events without gaps, however many write at once", async () => {
    await Promise.all(Array.from({ length: 20 }, (_, n) => append([fact(n * 2), fact(n * 2 + 1)])));
    const all = await events.listAfter(database, deviceId, 0, 100);
    expect(all.map((event) => event.sequence)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });

  it("records a fact once, offered again later or twice in one go, and leaves no gap for it", async () => {
    expect(await append([fact(0), fact(100), fact(100), fact(1)])).toBe(1);
    expect(await append([fact(100)])).toBe(0);
    expect(await append([fact(101)])).toBe(1);
    const tail = await events.listAfter(database, deviceId, 40, 100);
    expect(tail.map((event) => event.sequence)).toEqual([41, 42]);
  });

  it("pages by sequence", async () => {
    const page = await events.listAfter(database, deviceId, 10, 5);
    expect(page.map((event) => event.sequence)).toEqual([11, 12, 13, 14, 15]);
    expect(page[0]).toMatchObject({ deviceId, type: "message.status", data: { status: "delivered" } });
  });

  it("loses nothing when the transaction around it fails", async () => {
    await expect(
      transaction(database, async (runner) => {
        await events.append(runner, deviceId, 1, [fact(500)]);
        throw new Error("later in the transaction");
      }),
    ).rejects.toThrow();
    await append([fact(501)]);
    const tail = await events.listAfter(database, deviceId, 42, 10);
    expect(tail).toMatchObject([{ sequence: 43, data: { messageId: "501" } }]);
  });

  it("takes what strangers write: ids of any length, and half a character", async () => {
    const odd = (tail: string): NewEvent => {
      const event = fact(0, `${"k".repeat(300)}${tail}`);
      return { ...event, data: { ...event.data, chat: `\ud83d ${tail}` } } as NewEvent;
    };
    const before = await events.listAfter(database, deviceId, 0, 1_000);
    expect(await append([odd("a"), odd("b"), odd("a")])).toBe(2);
    expect(await append([odd("b")])).toBe(0);
    const [first] = (await events.listAfter(database, deviceId, 0, 1_000)).slice(before.length);
    expect(first?.data).toMatchObject({ chat: "\ufffd a" });
  });

  it("passes over a fact that is known by another of its keys, in the same list as well", async () => {
    const known = { ...fact(900, "by-number"), otherKeys: ["by-lid"] };
    expect(await append([{ ...fact(900, "by-lid") }, known])).toBe(1);
    expect(await append([known])).toBe(0);
    const other = { ...fact(901, "by-other-number"), otherKeys: ["by-other-lid"] };
    expect(await append([other, fact(901, "by-other-lid")])).toBe(1);
  });
});
