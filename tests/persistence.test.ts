import mysql from "mysql2/promise";
import { beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

const WAIT_MS = 60_000;

type Stored = { message_id: string; message: string | null; direction: string; status: string };

describe("the persistence rule", { timeout: 180_000 }, () => {
  let stack: Stack;
  let gateway: Gateway;
  let database: mysql.Connection;
  let owner: Phone;
  let other: Phone;
  let friend: Phone;
  let allowedId: number;

  const data = async (method: string, path: string, body?: unknown) => {
    const answer = await gateway.call(method, `/../whatsapp${path}`, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body.data;
  };
  const stored = async (phone: Phone) =>
    (await data("GET", `/messages/by-number/${phone.number}?pageSize=100`)).messages as Stored[];
  const sessionOf = async (phone: Phone): Promise<number> => {
    const { user } = (await gateway.call("GET", "/../auth/session")).body.data;
    const { sessions } = await data("GET", `/sessions/user/${user.userId}`);
    return sessions.find((one: { whatsapp_number: string }) => one.whatsapp_number === phone.number).id;
  };
  const told = new Map<string, { last: number; messageIds: Set<unknown> }>();
  const isEvent = async (device: string, messageId: string) => {
    const known = told.get(device) ?? { last: 0, messageIds: new Set() };
    told.set(device, known);
    await eventually(`${messageId} is an event`, WAIT_MS, async () => {
      for (const { sequence, type, data: about } of await gateway.events(device, known.last)) {
        known.last = sequence;
        if (type.startsWith("message.")) known.messageIds.add(about["messageId"]);
      }
      return known.messageIds.has(messageId);
    });
  };
  /** One message each way. */
  const exchange = async (device: string, phone: Phone, word: string) => {
    const sent = await gateway.send(device, friend.number, `keluar ${word}`);
    const received = await friend.text(phone, `masuk ${word}`);
    await isEvent(device, received);
    await isEvent(device, sent.body.data.messageId);
    return { sent: sent.body.data.messageId as string, received };
  };
  /** As `exchange`, until it is kept: a database that does not answer in time is no permission. */
  const keptExchange = async (device: string, phone: Phone, word: string) =>
    await eventually(`"${word}" is kept both ways`, WAIT_MS, async () => {
      const { sent, received } = await exchange(device, phone, word);
      const ids = new Set((await stored(phone)).map(({ message_id }) => message_id));
      return ids.has(sent) && ids.has(received) && { sent, received };
    });
  const textsOf = async (phone: Phone) => (await stored(phone)).map(({ message }) => message);

  beforeAll(async () => {
    stack = await freshStack({ environment: { UNKEPT_CONTENT_MINUTES: "0" } });
    gateway = new Gateway(stack);
    database = await mysql.createConnection(stack.databaseUrl);
    owner = await Phone.create(stack, "6281100000961", "Owner");
    other = await Phone.create(stack, "6281100000962", "Other");
    friend = await Phone.create(stack, "6281100000963", "Friend");
    await gateway.link("kept", owner);
    await gateway.link("unkept", other);
    return () => database.end();
  }, 120_000);

  it("keeps nothing of a number without a record", async () => {
    await exchange("kept", owner, "sebelum");
    expect(await stored(owner)).toEqual([]);
  });

  it("keeps each message of an allowed number once, and follows its receipts, edits and deletion", async () => {
    const session = await sessionOf(owner);
    const added = await data("POST", "/allowed-numbers", { whatsapp_number: "081100000961", session_id: session });
    allowedId = added.id as number;
    await friend.settings({ autoRead: true });
    const { sent, received } = await keptExchange("kept", owner, "diizinkan");
    const row = (id: string) => async () => (await stored(owner)).find(({ message_id }) => message_id === id);
    const typed = await eventually("what is typed on the phone is kept", WAIT_MS, async () => {
      const id = await owner.text(friend, "ditulis di HP");
      await isEvent("kept", id);
      return (await row(id)()) && id;
    });
    expect(await row(received)()).toMatchObject({ message: "masuk diizinkan", direction: "in", status: "received" });
    expect(await row(typed)()).toMatchObject({ message: "ditulis di HP", direction: "out" });
    await eventually("the own message is read", WAIT_MS, async () => (await row(sent)())?.status === "read");

    await friend.write(owner.number, { edit: { messageId: received, text: "masuk, disunting" } });
    await eventually("the edit", WAIT_MS, async () => (await row(received)())?.message === "masuk, disunting");
    await friend.write(owner.number, { delete: { messageId: received } });
    await eventually("the deletion", WAIT_MS, async () => (await row(received)())?.message === null);
    const ids = (await stored(owner)).map(({ message_id }) => message_id);
    expect(ids).toHaveLength(new Set(ids).size);
  });

  it("keeps nothing while it is switched off, from the next message on", async () => {
    await data("PUT", `/allowed-numbers/${allowedId}/status`, { status: "nonaktif" });
    await exchange("kept", owner, "dimatikan");
    await data("PUT", `/allowed-numbers/${allowedId}/status`, { status: "aktif" });
    await keptExchange("kept", owner, "dinyalakan");
    expect((await textsOf(owner)).filter((text) => text?.includes("dimatikan"))).toEqual([]);
  });

  it("keeps nothing while the table of allowed numbers is locked or broken, and nothing else fails", async () => {
    await database.query("LOCK TABLES allowed_numbers WRITE");
    await exchange("kept", owner, "terkunci");
    await database.query("UNLOCK TABLES");
    await database.query("RENAME TABLE allowed_numbers TO allowed_numbers_away");
    await exchange("kept", owner, "rusak");
    await database.query("RENAME TABLE allowed_numbers_away TO allowed_numbers");
    await keptExchange("kept", owner, "kembali");
    const texts = await textsOf(owner);
    expect(texts.filter((text) => /terkunci|rusak/.test(text ?? ""))).toEqual([]);
  });

  it("is for the number of the user who allowed it, and for no other device", async () => {
    await exchange("unkept", other, "lain");
    expect(await stored(other)).toEqual([]);
  });

  it("leaves nothing of what may not be kept in any table, once everybody was told", async () => {
    const dump = async () => {
      const [tables] = await database.query<mysql.RowDataPacket[]>("SHOW TABLES");
      const names = tables.map((row) => String(Object.values(row)[0]));
      const rows = await Promise.all(names.map((name) => database.query(`SELECT * FROM \`${name}\``)));
      return JSON.stringify(rows.map(([all]) => all));
    };
    const words = (text: string) => [...new Set(text.match(/(keluar|masuk) (sebelum|dimatikan|terkunci|rusak|lain)/g))];
    await eventually("the sweep has erased all of it", WAIT_MS, async () => !words(await dump()).length);
    expect(await dump()).toMatch(/masuk dinyalakan/);
  });
});
