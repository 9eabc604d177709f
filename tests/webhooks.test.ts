import mysql from "mysql2/promise";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import { Receiver, troubled } from "./support/receiver.ts";
import { freshStack } from "./support/stack.ts";

const WAIT_MS = 60_000;
const MESSAGES = 60;
const PROMOTION = "Promo";

describe("webhooks and chatbots", () => {
  let stack: Stack;
  let gateway: Gateway;
  let database: mysql.Connection;
  let shop: Phone;
  let desk: Phone;
  let friend: Phone;
  const receivers: Receiver[] = [];
  const receiver = async (...args: Parameters<typeof Receiver.start>) => {
    const started = await Receiver.start(...args);
    receivers.push(started);
    return started;
  };

  beforeAll(async () => {
    stack = await freshStack();
    gateway = new Gateway(stack);
    database = await mysql.createConnection(stack.databaseUrl);
    shop = await Phone.create(stack, "6281100000801", "Shop");
    desk = await Phone.create(stack, "6281100000802", "Desk");
    friend = await Phone.create(stack, "6281100000803", "Friend");
    await gateway.link("shop", shop);
    await gateway.link("desk", desk);
  }, 120_000);
  afterAll(async () => {
    for (const one of receivers) one.close();
    await database?.end();
  });

  const hooks = async (method: string, path: string, body?: unknown) => {
    const answer = await gateway.call(method, `/../webhooks${path}`, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body.data;
  };
  const data = async (method: string, path: string, body?: unknown) => {
    const answer = await gateway.call(method, `/../whatsapp${path}`, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body.data;
  };
  const subscribe = async (to: Receiver, more: object = {}) =>
    (await hooks("POST", "", { url: to.url, events: ["*"], ...more })) as { webhookId: string; secret: string };
  /** What waits, waits so much less. */
  const advance = async (seconds: number) => {
    await database.query("UPDATE deliveries SET due_at = due_at - INTERVAL ? SECOND WHERE state = 'pending'", [
      seconds,
    ]);
    await database.query("UPDATE webhooks SET paused_until = paused_until - INTERVAL ? SECOND", [seconds]);
  };
  /** A deliverer that starts again sweeps at once. */
  const kill = (name: string) =>
    eventually(`${name} runs, and is killed`, WAIT_MS, async () => {
      stack.kill(name, "SIGKILL");
      return true;
    });
  const pendingOf = async (webhookId: string) =>
    (await hooks("GET", `/${webhookId}/deliveries?state=pending`)).deliveries.length as number;

  it(
    "deliver every event to a receiver that fails, breaks off and is down for an hour, while every process is killed",
    { timeout: 240_000 },
    async () => {
      const trouble = troubled();
      const [well, ill] = [await receiver(), await receiver(trouble.behave)];
      const [good, bad] = [await subscribe(well), await subscribe(ill)];
      const written: string[] = [];
      for (let n = 0; n < MESSAGES; n++) {
        written.push(await friend.text(shop, `pesan ${n}`));
        if (n === 15) await kill("deliverer");
        if (n === 25) await kill("api");
        if (n === 30) trouble.isDown = true;
        if (n === 35) await kill("socket-host-1");
      }
      const events = await eventually("every message is an event", WAIT_MS, async () => {
        const [rows] = await database.query(
          "SELECT event_id, sequence, device_id FROM events WHERE event_id IN (SELECT event_id FROM deliveries WHERE webhook_id = ?)",
          [good.webhookId],
        );
        const found = rows as { event_id: string; sequence: number; device_id: string }[];
        const [[{ count }]] = (await database.query(
          "SELECT COUNT(*) AS count FROM events WHERE type = 'message.received'",
        )) as unknown as [[{ count: number }]];
        return count === MESSAGES && found;
      });
      const idsAt = ({ requests }: Receiver) => new Set(requests.map(({ headers }) => headers["webhook-id"]));
      // Down or not, the other one is told.
      await eventually("the healthy receiver has every event", WAIT_MS, async () =>
        events.every(({ event_id }) => idsAt(well).has(event_id)),
      );
      expect(trouble.taken.size).toBeLessThan(events.length);
      await advance(3_600);
      trouble.isDown = false;
      await kill("deliverer");
      await eventually("the other has them too", 2 * WAIT_MS, async () => {
        await advance(600);
        await hooks("PUT", `/${bad.webhookId}`, { isActive: true });
        return (await pendingOf(bad.webhookId)) === 0 && events.every(({ event_id }) => trouble.taken.has(event_id));
      });
      for (const [at, { secret }] of [
        [well, good],
        [ill, bad],
      ] as const) {
        for (const { body, headers } of at.requests) new Webhook(secret).verify(body, headers);
        const told = at.requests.map(
          ({ body }) => JSON.parse(body) as { id: string; deviceId: string; sequence: number },
        );
        const sequences = new Set(told.filter(({ deviceId }) => deviceId === "shop").map(({ sequence }) => sequence));
        const wanted = events.filter(({ device_id }) => device_id === "shop").map(({ sequence }) => sequence);
        expect(wanted.filter((sequence) => !sequences.has(sequence))).toEqual([]);
        expect(Math.max(...wanted) - Math.min(...wanted) + 1).toBe(wanted.length);
        expect(
          at.requests.every(({ headers, body }) => (JSON.parse(body) as { id: string }).id === headers["webhook-id"]),
        ).toBe(true);
      }
      const texts = [...trouble.taken.values()].map(
        (body) => (JSON.parse(body) as { data: { messageId?: string } }).data.messageId,
      );
      expect(written.filter((id) => !texts.includes(id))).toEqual([]);
      for (const { webhookId } of [good, bad]) await hooks("DELETE", `/${webhookId}`);
    },
  );

  it("sign with both secrets while one is changed, and then with the new one alone", { timeout: WAIT_MS }, async () => {
    const at = await receiver();
    const { webhookId, secret } = await subscribe(at, { events: ["device.qr"] });
    const verifies = async (with_: string) => {
      const before = at.requests.length;
      expect(await hooks("POST", `/${webhookId}/test`)).toMatchObject({ type: "webhook.test", state: "delivered" });
      const { body, headers } = at.requests[before] ?? { body: "", headers: {} };
      try {
        return Boolean(new Webhook(with_).verify(body, headers));
      } catch {
        return false;
      }
    };
    expect(await verifies(secret)).toBe(true);
    const rotated = await hooks("POST", `/${webhookId}/rotate-secret`, { overlapHours: 1 });
    expect([await verifies(secret), await verifies(rotated.secret)]).toEqual([true, true]);
    await database.query("UPDATE webhooks SET old_secret_until = NOW(3) WHERE webhook_id = ?", [webhookId]);
    expect([await verifies(secret), await verifies(rotated.secret)]).toEqual([false, true]);
    await hooks("DELETE", `/${webhookId}`);
  });

  it("have delivered what nobody was woken for", { timeout: 2 * WAIT_MS }, async () => {
    const at = await receiver();
    const { webhookId } = await subscribe(at, { events: ["message.received"] });
    await friend.text(shop, "hilang?");
    await eventually("it is delivered", WAIT_MS, async () => at.requests.length === 1);
    // As if its message had been lost between the commit and the queue.
    await database.query("UPDATE deliveries SET state = 'pending', tries = 0, due_at = NOW(3) WHERE webhook_id = ?", [
      webhookId,
    ]);
    await kill("deliverer");
    await eventually("the sweep has it delivered", WAIT_MS, async () => at.requests.length === 2);
    await hooks("DELETE", `/${webhookId}`);
    // Of those that were removed before.
    await eventually("nothing is left of what is gone", WAIT_MS, async () => {
      const [rows] = await database.query("SELECT 1 FROM deliveries WHERE webhook_id <> ?", [webhookId]);
      return (rows as unknown[]).length === 0;
    });
  });

  it("answer a person, each bot for itself, and no bot answers another of ours", { timeout: 3 * WAIT_MS }, async () => {
    const menu = Buffer.from("%PDF-1.7\nMenu hari ini");
    const shelf = await receiver((_request, response) => void response.writeHead(200).end(menu));
    const bot = await receiver((_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const file = { type: "document", url: `${shelf.url}menu.pdf`, caption: "Menu" };
      response.end(JSON.stringify({ reply: ["Halo juga", file] }));
    });
    const hanging = await receiver(() => undefined);
    const { user } = (await gateway.call("GET", "/../auth/session")).body.data;
    const { sessions } = await data("GET", `/sessions/user/${user.userId}`);
    const sessionOf = (phone: Phone) =>
      sessions.find((one: { whatsapp_number: string }) => one.whatsapp_number === phone.number).id as number;
    const secrets: string[] = [];
    for (const [phone, at] of [
      [shop, bot],
      [desk, hanging],
    ] as const) {
      secrets.push((await data("PUT", `/chatbots/${phone.number}/endpoint`, { endpoint_url: at.url })).secret);
      for (const sender of [friend, shop, desk]) {
        const body = { sender_number: sender.number, status: "aktif", session_id: sessionOf(phone) };
        await data("POST", "/chatbots", body);
      }
    }
    // The one that hangs is asked first.
    await friend.text(desk, "halo?");
    await eventually("the other bot is asked", WAIT_MS, async () => hanging.requests.length > 0);
    // A job of the same device is under way: a person does not wait for it.
    const messages = Array.from({ length: 300 }, (_, n) => ({ to: friend.number, message: `${PROMOTION} ${n}` }));
    const job = (await gateway.call("POST", "/devices/shop/jobs/send-text", { messages, delay: 0.2 })).body.data;
    await eventually("the job sends", WAIT_MS, async () =>
      (await friend.inbox()).some(({ text }) => text?.startsWith(PROMOTION)),
    );
    const replies = async (count: number) =>
      await eventually(`the friend has ${count} answers`, WAIT_MS, async () => {
        const news = (await friend.inbox()).filter(({ text }) => !text?.startsWith(PROMOTION));
        return news.length >= count && news;
      });
    // What is asserted is what the product takes: of a machine that is busy with something else, the best of a few.
    const times: number[] = [];
    while (times.length < 5 && !times.some((ms) => ms < 1_000)) {
      const count = 2 * times.length;
      const askedAt = Date.now();
      await friend.text(shop, "halo");
      await replies(count + 1);
      times.push(Date.now() - askedAt);
      expect((await replies(count + 2)).slice(count)).toMatchObject([
        { type: "text", text: "Halo juga", copies: 1 },
        { type: "document", caption: "Menu", media: { fileName: "menu.pdf", size: menu.length }, copies: 1 },
      ]);
    }
    expect(Math.min(...times)).toBeLessThan(1_000);
    expect((await gateway.call("GET", `/jobs/${job.jobId}`)).body.data.status).toBe("processing");
    await gateway.call("POST", `/jobs/${job.jobId}/cancel`);
    const asked = bot.requests.length;
    const [{ body, headers }] = bot.requests as [Receiver["requests"][number]];
    expect(new Webhook(secrets[0] ?? "").verify(body, headers)).toMatchObject({
      type: "message.received",
      deviceId: "shop",
      data: { text: "halo" },
    });

    // Asked again, as after a crash: the phone shows it once.
    await database.query(
      "UPDATE deliveries SET state = 'pending', tries = 0, due_at = NOW(3), expires_at = NOW(3) + INTERVAL 10 MINUTE WHERE event_id = ?",
      [headers["webhook-id"]],
    );
    await friend.text(shop, "lagi");
    await eventually("it is asked again, and about the next", WAIT_MS, async () => bot.requests.length === asked + 2);
    expect((await replies(2 * asked + 2)).map(({ copies }) => copies)).toEqual(Array(2 * asked + 2).fill(1));
    // A number of ours that writes to another of ours is no one to answer.
    await gateway.send("desk", shop.number, "halo dari bot");
    await eventually("that is not answered", WAIT_MS, async () => {
      const [rows] = await database.query("SELECT 1 FROM deliveries WHERE error = 'own_number' AND state = 'dead'");
      return (rows as unknown[]).length === 1;
    });
    expect(bot.requests).toHaveLength(asked + 2);

    const list = await data("GET", `/chatbots?whatsapp_number=${shop.number}`);
    const ofFriend = list.chatbots.find((one: { sender_number: string }) => one.sender_number === friend.number);
    expect(ofFriend).toMatchObject({ status: "aktif", endpoint_url: bot.url });
    await data("PUT", `/chatbots/${ofFriend.id}/status`, { status: "nonaktif" });
    const id = await friend.text(shop, "masih di sana?");
    await eventually("the message is an event", WAIT_MS, async () => {
      const [rows] = await database.query("SELECT 1 FROM events WHERE dedupe_key LIKE ?", [`%${id}%`]);
      return (rows as unknown[]).length === 1;
    });
    expect(bot.requests).toHaveLength(asked + 2);
    expect(await replies(0)).toHaveLength(2 * asked + 2);
  });
});
