import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";

let world: World;
/** Alice's linked device: in each test connected anew. */
let client: BaileysClient;

beforeAll(async () => {
  world = await World.start();
  client = await world.linked(ALICE);
});
beforeEach(async () => {
  await world.delete("/faults");
  client = await world.back(client);
  if (client.closes.includes(401)) client = await world.linked(ALICE);
  client.closes.length = 0;
});
afterAll(() => world.dispose());

async function order(fault: string, details: object = {}, match: object = { phone: ALICE }): Promise<string> {
  const { status, body } = await world.post("/faults", { match, fault, ...details });
  expect(status).toBe(201);
  return body.id;
}

async function faults() {
  return (await world.get("/faults")).body;
}

describe("faults that strike at once", () => {
  test.each([
    ["drop", {}, 428],
    ["replaced", {}, 440],
    ["logout", {}, 401],
    ["stream-error", { code: 503 }, 503],
    ["stream-error", { code: 515 }, 515],
  ])("%s %o ends the connection with its status", async (fault, details, status) => {
    await order(fault, details);
    await until(() => client.closes.length === 1);
    expect(client.closes).toEqual([status]);
    expect(await faults()).toEqual([]);
  });

  test("a dropped device is welcome again, a logged-out one is unknown, connected or not", async () => {
    await order("drop");
    await until(() => client.closes.length === 1);
    client = await world.back(client);
    expect(client.isOpen).toBe(true);
    await client.end();
    await order("logout");
    client = await world.back(client);
    expect(client.closes).toEqual([401]);
  });

  test("leave others alone", async () => {
    const bob = await world.linked(BOB);
    await order("drop", {}, { phone: BOB });
    await until(() => bob.closes.includes(428));
    expect(client.isOpen).toBe(true);
  });

  test("with a count act again on the next logins", async () => {
    await order("drop", { count: 2 });
    await until(() => client.closes.length === 1);
    client = await world.back(client);
    await until(() => client.closes.length === 1);
    expect(client.closes).toEqual([428]);
    client = await world.back(client);
    expect(client.isOpen).toBe(true);
  });

  test("wait for the next login if nobody is connected", async () => {
    await client.end();
    await until(async () => !(await world.phone(ALICE)).devices[0]?.connected);
    await order("replaced");
    expect(await faults()).toMatchObject([{ fault: "replaced", remaining: 1, acted: 0 }]);
    client = await world.back(client);
    await until(() => client.closes.length === 1);
    expect(client.closes).toEqual([440]);
  });
});

describe("half-open", () => {
  test("leaves the connection up but dead; a new one is alive and gets what was missed", async () => {
    await order("half-open");
    const id = await world.write(BOB, ALICE, "into the void");
    const unanswered = client.socket.query({ tag: "iq", attrs: { to: "@s.whatsapp.net", type: "get", xmlns: "w:p" } });
    await expect(Promise.race([unanswered, world.get("/stats").then(() => "nothing")])).resolves.toBe("nothing");
    expect([client.isOpen, client.texts()]).toEqual([true, []]);
    unanswered.catch(() => {});
    client = await world.back(client);
    await until(() => client.texts().some((each) => each.id === id));
  });

  test("ends when it is deleted, and what was missed follows", async () => {
    const fault = await order("half-open");
    const id = await world.write(BOB, ALICE, "late");
    expect((await world.delete(`/faults/${fault}`)).status).toBe(200);
    await until(() => client.texts().some((each) => each.id === id));
    const bob = await world.person();
    await client.sendText(bob, "alive");
    await world.inbox(bob, 1);
  });
});

describe("faults that lie in wait", () => {
  test("no-ack: the message arrives, its acknowledgement never comes", async () => {
    const bob = await world.person();
    const fault = await order("no-ack");
    await client.sendText(bob, "unacknowledged");
    await world.inbox(bob, 1);
    await world.delete(`/faults/${fault}`);
    const id = await client.sendText(bob, "acknowledged");
    await until(() => client.acks.length > 0);
    expect(client.acks).toEqual([{ id, error: undefined }]);
  });

  test("ack-error: the message is refused with the code and arrives nowhere, as often as ordered", async () => {
    const bob = await world.person();
    await order("ack-error", { code: 479, count: 1 });
    const refused = await client.sendText(bob, "refused");
    const accepted = await client.sendText(bob, "accepted");
    await until(() => client.acks.length === 2);
    expect(client.acks).toEqual([
      { id: refused, error: "479" },
      { id: accepted, error: undefined },
    ]);
    expect(await world.inbox(bob, 1)).toMatchObject([{ id: accepted }]);
  });

  test("slow: the message arrives before its acknowledgement", async () => {
    const bob = await world.person();
    await order("slow", { delayMs: 800 });
    const sentAt = Date.now();
    await client.sendText(bob, "slowly");
    await world.inbox(bob, 1);
    expect(client.acks).toEqual([]);
    await until(() => client.acks.length === 1);
    expect(Date.now() - sentAt).toBeGreaterThanOrEqual(800);
  });

  test.each([401, 403, 405])("refuse-login: %i comes as the status, until the fault is deleted", async (code) => {
    await order("refuse-login", { code });
    for (let i = 0; i < 2; i++) {
      client = await world.back(client);
      expect(client.closes).toEqual([code]);
    }
    await world.delete("/faults");
    client = await world.back(client);
    expect(client.isOpen).toBe(true);
  });

  test("refuse-connections: the connection is cut, as often as ordered", async () => {
    await order("refuse-connections", { count: 1 }, {});
    client = await world.back(client);
    expect(client.closes).toEqual([408]);
    client = await world.back(client);
    expect(client.isOpen).toBe(true);
  });

  test("rate-overlimit: queries are refused with 429, the connection stays", async () => {
    const fault = await order("rate-overlimit");
    await expect(client.socket.onWhatsApp(`${BOB}@s.whatsapp.net`)).rejects.toMatchObject({ data: 429 });
    await expect(client.socket.fetchBlocklist()).rejects.toThrow("rate-overlimit");
    await world.delete(`/faults/${fault}`);
    expect(await client.socket.onWhatsApp(`${BOB}@s.whatsapp.net`)).toHaveLength(1);
    expect(client.isOpen).toBe(true);
  });

  test("rate-overlimit lets a device log in nevertheless", async () => {
    await order("rate-overlimit");
    client = await world.back(client);
    expect(client.isOpen).toBe(true);
  });
});

describe("faults together", () => {
  test("act one after the other on the same message, each on whom it is for", async () => {
    const bob = await world.person();
    await order("slow", { delayMs: 100, count: 1 });
    await order("ack-error", { code: 429, count: 1 });
    await order("no-ack", { count: 1 });
    await order("corrupt-message", {}, { phone: bob, device: 0 });
    await order("drop", {}, { phone: BOB });
    const refused = await client.sendText(bob, "refused");
    await client.sendText(bob, "spoilt, and never acknowledged");
    const late = await client.sendText(bob, "acknowledged late");
    await until(() => client.acks.some(({ id, error }) => id === late && error === undefined));
    const inbox = await world.inbox(bob, 2);
    expect(new Set(inbox.map(({ text }) => text))).toEqual(
      new Set(["acknowledged late", "spoilt, and never acknowledged"]),
    );
    expect(client.acks.find(({ id }) => id === refused)).toEqual({ id: refused, error: "429" });
    expect(await faults()).toMatchObject([{ fault: "drop", remaining: 1 }]);
  });

  test("of one kind act in the order in which they were ordered", async () => {
    const bob = await world.person();
    await order("ack-error", { code: 463, count: 1 });
    await order("ack-error", { code: 479, count: 1 });
    const ids = [await client.sendText(bob, "one"), await client.sendText(bob, "two")];
    await until(() => client.acks.length >= 2);
    expect(client.acks).toEqual([
      { id: ids[0], error: "463" },
      { id: ids[1], error: "479" },
    ]);
  });
});
