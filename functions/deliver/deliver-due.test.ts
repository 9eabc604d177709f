import { createServer } from "node:http";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { testDatabase, testUser } from "../../local/testing/test-database.ts";
import * as deliveries from "../../shared/db/deliveries.ts";
import * as deliveryLog from "../../shared/db/delivery-log.ts";
import * as devices from "../../shared/db/devices.ts";
import * as events from "../../shared/db/events.ts";
import { execute, select, transaction } from "../../shared/db/pool.ts";
import * as users from "../../shared/db/users.ts";
import * as webhooks from "../../shared/db/webhooks.ts";
import type { WebhookSettings } from "../../shared/db/webhooks.ts";
import type { NewEvent } from "../../shared/events.ts";
import { openGuardedFetch } from "../../shared/guarded-fetch.ts";
import { newWebhookId } from "../../shared/ids.ts";
import type { DeviceId, WebhookId } from "../../shared/ids.ts";
import { createLog } from "../../shared/log.ts";
import type { MediaFiles } from "../../shared/media-files.ts";
import type { CommandQueues } from "../../shared/queue.ts";
import { seal } from "../../shared/sealed.ts";
import { parseTrace } from "../../shared/trace.ts";
import { newWebhookSecret } from "../../shared/webhook-secret.ts";
import { deliverDue } from "./deliver-due.ts";
import type { DeliverServices } from "./deliver-services.ts";

const database = await testDatabase();
const userId = await testUser(database);
const key = Buffer.alloc(32, 5);
const EPOCH = 1;

type Request = { path: string; headers: IncomingHttpHeaders; body: string };
let received: Request[] = [];
let respond: (request: Request, response: ServerResponse) => void;
const server = createServer((incoming, response) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const request = { path: incoming.url ?? "", headers: incoming.headers, body: Buffer.concat(chunks).toString() };
    received.push(request);
    respond(request, response);
  });
});
await new Promise<void>((resolve) => {
  server.listen(0, "127.0.0.1", resolve);
});
const receiver = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const fetcher = openGuardedFetch(["127.0.0.1"]);
afterAll(() => {
  fetcher.close();
  server.closeAllConnections();
  server.close();
});

const wakes: { webhookId: WebhookId; delayMs: number | undefined }[] = [];
const services: DeliverServices = {
  database,
  queue: {
    wake: async (webhookIds, delayMs) => {
      for (const webhookId of webhookIds) wakes.push({ webhookId, delayMs });
    },
  },
  queues: {} as CommandQueues,
  fetcher,
  key,
  files: {} as MediaFiles,
  mediaTypes: [],
  chatbot: undefined,
  repliesPerMinute: 20,
  log: createLog("deliver", "silent"),
};

let made = 0;
let deviceId: DeviceId;
beforeEach(async () => {
  received = [];
  wakes.length = 0;
  respond = (_request, response) => response.writeHead(200).end("ok");
  await execute(database.pool, "DELETE FROM webhooks");
  deviceId = `device-${made++}` as DeviceId;
  await devices.create(database, { deviceId, userId, deviceName: null }, 1);
});

async function subscribe(changed: Partial<WebhookSettings> = {}) {
  const webhookId = newWebhookId();
  const secret = newWebhookSecret();
  const settings = { url: receiver, description: null, deviceIds: null, headers: null, isOrdered: false };
  const row = { ...settings, eventTypes: ["*" as const], ...changed };
  await webhooks.create(database, { webhookId, userId, secret: seal(secret, key, webhookId), ...row });
  return { webhookId, secret };
}
const statuses = (count: number): NewEvent[] =>
  Array.from({ length: count }, () => ({
    type: "device.status",
    data: { status: "connected", reason: null, phoneNumber: null },
    dedupeKey: null,
    occurredAt: new Date(),
  }));
const record = (list: NewEvent[], of = deviceId) =>
  transaction(database, (runner) => events.append(runner, of, EPOCH, list));
const log = (webhookId: WebhookId) =>
  deliveryLog.list(database, webhookId, { state: undefined, before: Number.MAX_SAFE_INTEGER }, 1_000);
const only = async (webhookId: WebhookId) => {
  const [delivery, ...others] = await log(webhookId);
  expect(others).toEqual([]);
  return delivery;
};
/** Lets time pass for what waits. */
async function advance(seconds: number) {
  await execute(database.pool, "UPDATE deliveries SET due_at = due_at - INTERVAL ? SECOND", [seconds]);
  await execute(
    database.pool,
    "UPDATE webhooks SET paused_until = paused_until - INTERVAL ? SECOND, failing_since = failing_since - INTERVAL ? SECOND",
    [seconds, seconds],
  );
}

test("a delivery goes on with the trace of the request that brought its event about", async () => {
  const { webhookId } = await subscribe();
  const trace = parseTrace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") ?? null;
  await record(statuses(1).map((event) => ({ ...event, trace })));
  await deliverDue(services, webhookId);
  expect(received.map(({ headers }) => headers["traceparent"])).toEqual([trace]);
});

describe("an event", () => {
  test("is posted to each webhook that wants it, signed, with the headers that were asked for", async () => {
    const { webhookId, secret } = await subscribe();
    await execute(database.pool, "UPDATE webhooks SET headers = ?", [
      seal(JSON.stringify({ "x-shop": "7", "webhook-id": "mine" }), key, webhookId),
    ]);
    const other = await subscribe({ eventTypes: ["message.received"] });
    const elsewhere = await subscribe({ deviceIds: ["another" as DeviceId] });
    await record(statuses(1));
    await deliverDue(services, webhookId);
    const [event] = await events.listAfter(database, deviceId, 0, 1);
    expect(received).toHaveLength(1);
    const [{ headers, body }] = received as [Request];
    expect(headers).toMatchObject({ "x-shop": "7", "webhook-id": event?.id, "content-type": "application/json" });
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual({
      id: event?.id,
      type: "device.status",
      sequence: 1,
      deviceId,
      occurredAt: event?.occurredAt.toISOString(),
      data: event?.data,
    });
    expect(await only(webhookId)).toMatchObject({
      state: "delivered",
      lastTry: { status: 200, answer: "ok" },
      earlierTries: [],
    });
    expect([await log(other.webhookId), await log(elsewhere.webhookId)]).toEqual([[], []]);
  });

  test("is not told to a user who may not see the device or is disabled, but to every administrator", async () => {
    const stranger = await subscribe();
    const disabled = await subscribe();
    const change = "UPDATE webhooks SET user_id = ? WHERE webhook_id = ?";
    await execute(database.pool, change, [await testUser(database), stranger.webhookId]);
    const gone = await testUser(database);
    await users.update(database, gone, { role: "admin", isDisabled: true });
    await execute(database.pool, change, [gone, disabled.webhookId]);
    await record(statuses(1));
    expect([await log(stranger.webhookId), await log(disabled.webhookId)]).toEqual([[], []]);
    await users.update(database, gone, { isDisabled: false });
    await record(statuses(1));
    expect(await log(disabled.webhookId)).toHaveLength(1);
  });

  test("that is rolled back with its transaction has no delivery, and wakes nobody", async () => {
    const { webhookId } = await subscribe();
    const told: string[] = [];
    const watched = { ...database, onCommitted: (notes: ReadonlySet<string>) => told.push(...notes) };
    const failed = transaction(watched, async (runner) => {
      await events.append(runner, deviceId, EPOCH, statuses(1));
      throw new Error("no");
    });
    await expect(failed).rejects.toThrow("no");
    expect([told, await log(webhookId)]).toEqual([[], []]);
    await transaction(watched, (runner) => events.append(runner, deviceId, EPOCH, statuses(2)));
    expect(told).toEqual([webhookId]);
  });

  test("is posted by one of several who deliver at the same moment", async () => {
    const { webhookId } = await subscribe();
    await record(statuses(60));
    respond = (_request, response) => setTimeout(() => response.writeHead(204).end(), 5);
    await Promise.all(Array.from({ length: 5 }, () => deliverDue(services, webhookId)));
    expect(received).toHaveLength(60);
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(60);
  });
});

describe("a receiver", () => {
  test("that fails is tried again, with the same id, and given up after ten times", async () => {
    const { webhookId } = await subscribe();
    respond = (_request, response) => response.writeHead(500).end("x".repeat(5_000));
    await record(statuses(1));
    let seconds = 0;
    for (let tries = 1; tries <= 10; tries++) {
      await deliverDue(services, webhookId);
      const delivery = await only(webhookId);
      expect(delivery).toMatchObject({
        tries,
        lastTry: { status: 500, error: "http_status", answer: "x".repeat(1_000) },
      });
      expect(delivery?.earlierTries).toHaveLength(tries - 1);
      const waitSeconds = Math.ceil(((delivery?.dueAt?.getTime() ?? Date.now()) - Date.now()) / 1000) + 1;
      seconds += waitSeconds;
      await advance(waitSeconds);
    }
    expect(await only(webhookId)).toMatchObject({ state: "dead", tries: 10, dueAt: null });
    expect(seconds / 86_400).toBeGreaterThan(3);
    expect(seconds / 86_400).toBeLessThan(4);
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });

  test("is woken for again when the next try is soon", async () => {
    const { webhookId } = await subscribe();
    respond = (_request, response) => response.writeHead(500).end();
    await record(statuses(1));
    await deliverDue(services, webhookId);
    expect(wakes).toEqual([{ webhookId, delayMs: expect.any(Number) }]);
    expect(wakes[0]?.delayMs).toBeGreaterThanOrEqual(5_000);
    expect(wakes[0]?.delayMs).toBeLessThanOrEqual(6_000);
  });

  test.each([
    ["redirects", (response: ServerResponse) => response.writeHead(302, { location: receiver }).end(), "http_status"],
    ["resets the connection", (response: ServerResponse) => response.destroy(), "unreachable"],
  ])("that %s has failed", async (_what, answer, error) => {
    const { webhookId } = await subscribe();
    respond = (_request, response) => answer(response);
    await record(statuses(1));
    await deliverDue(services, webhookId);
    expect(received).toHaveLength(1);
    expect(await only(webhookId)).toMatchObject({ state: "pending", tries: 1, lastTry: { error } });
  });

  test("that answers 410 is asked no more", async () => {
    const { webhookId } = await subscribe();
    respond = (_request, response) => response.writeHead(410).end();
    await record(statuses(1));
    await deliverDue(services, webhookId);
    expect(await only(webhookId)).toMatchObject({ state: "dead", lastTry: { status: 410 } });
    expect(await webhooks.get(database, userId, webhookId)).toMatchObject({ disabledReason: "gone" });
    await record(statuses(1));
    expect(await log(webhookId)).toHaveLength(1);
  });

  test("says with Retry-After how long it is to be left alone", async () => {
    const { webhookId } = await subscribe();
    respond = (_request, response) => response.writeHead(429, { "retry-after": "120" }).end();
    await record(statuses(1));
    await deliverDue(services, webhookId);
    await record(statuses(1));
    await deliverDue(services, webhookId);
    expect(received).toHaveLength(1);
    expect(wakes).toEqual([{ webhookId, delayMs: 120_000 }]);
    respond = (_request, response) => response.writeHead(200).end();
    await advance(125);
    await deliverDue(services, webhookId);
    expect((await log(webhookId)).map(({ state }) => state)).toEqual(["delivered", "delivered"]);
  });

  test("that is down is paused, tried with one event, and gets all of them when it is back", async () => {
    const { webhookId } = await subscribe();
    respond = (_request, response) => response.destroy();
    await record(statuses(100));
    await deliverDue(services, webhookId);
    const before = received.length;
    expect(before).toBeLessThanOrEqual(16);
    await deliverDue(services, webhookId);
    expect(received).toHaveLength(before);
    await advance(3_600);
    await deliverDue(services, webhookId);
    expect(received).toHaveLength(before + 1);
    respond = (_request, response) => response.writeHead(200).end();
    await advance(3_600);
    await deliverDue(services, webhookId);
    expect(new Set((await log(webhookId)).map(({ state }) => state))).toEqual(new Set(["delivered"]));
    expect(await webhooks.get(database, userId, webhookId)).toMatchObject({ failures: 0, pausedUntil: null });
  });

  test("that has only failed for days is disabled, with the reason", async () => {
    const { webhookId } = await subscribe();
    respond = (_request, response) => response.writeHead(500).end();
    await record(statuses(1));
    await deliverDue(services, webhookId);
    await advance(6 * 86_400);
    await deliverDue(services, webhookId);
    expect(await webhooks.get(database, userId, webhookId)).toMatchObject({ disabledReason: "failing" });
    const [entry] = await select<{ target: string }>(
      database.pool,
      "SELECT target FROM audit_log WHERE action = 'webhook.disable' ORDER BY entry_id DESC LIMIT 1",
    );
    expect(entry?.target).toBe(webhookId);
  });

  test("that is disabled is told of to the others of its user that want to know", async () => {
    const told = await subscribe({ eventTypes: ["webhook.disabled"] });
    const untold = await subscribe({ eventTypes: ["message.received"] });
    const { webhookId } = await subscribe({ eventTypes: ["device.status"] });
    respond = (_request, response) => response.writeHead(410).end();
    await record(statuses(1));
    await deliverDue(services, webhookId);
    expect(wakes).toContainEqual({ webhookId: told.webhookId, delayMs: undefined });
    received = [];
    respond = (_request, response) => response.writeHead(200).end();
    for (const one of [told, untold]) await deliverDue(services, one.webhookId);
    const notice = { type: "webhook.disabled", deviceId: null, data: { webhookId, reason: "gone" } };
    expect(received.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([notice]);
  });

  test("that wants the order gets it, of each device, also when it fails", async () => {
    const { webhookId } = await subscribe({ isOrdered: true });
    const second = `${deviceId}-b` as DeviceId;
    await devices.create(database, { deviceId: second, userId, deviceName: null }, 1);
    await record(statuses(5));
    await record(statuses(5), second);
    const isTaken = new Set<string>();
    respond = ({ headers, body }, response) => {
      const { sequence } = JSON.parse(body) as { sequence: number };
      const id = String(headers["webhook-id"]);
      const fails = sequence === 3 && !isTaken.has(id);
      isTaken.add(id);
      response.writeHead(fails ? 503 : 200).end();
    };
    await deliverDue(services, webhookId);
    await advance(10);
    await deliverDue(services, webhookId);
    for (const of of [deviceId, second]) {
      const told = received.map(({ body }) => JSON.parse(body) as { deviceId: string; sequence: number });
      expect(told.filter((one) => one.deviceId === of).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 3, 4, 5]);
    }
  });
});

describe("what is lost in between", () => {
  test("a claim of somebody who died is taken over when its time is up", async () => {
    const { webhookId } = await subscribe();
    await record(statuses(3));
    expect(await deliveries.claim(database, webhookId)).toMatchObject({ deliveries: [{}, {}, {}] });
    await deliverDue(services, webhookId);
    expect(received).toHaveLength(0);
    await advance(25);
    await deliverDue(services, webhookId);
    expect((await log(webhookId)).map(({ state, tries }) => [state, tries])).toEqual([
      ["delivered", 2],
      ["delivered", 2],
      ["delivered", 2],
    ]);
  });

  test("a claim that is renewed stays with whoever has it", async () => {
    const { webhookId } = await subscribe();
    await record(statuses(1));
    const claimed = await deliveries.claim(database, webhookId);
    if (!("claim" in claimed)) throw new Error("nothing was claimed");
    await advance(deliveries.CLAIM_SECONDS);
    await deliveries.renew(database, claimed);
    await deliverDue(services, webhookId);
    expect(received).toHaveLength(0);
    await advance(deliveries.CLAIM_SECONDS);
    await deliverDue(services, webhookId);
    expect(received).toHaveLength(1);
    await deliveries.renew(database, claimed);
    expect(await only(webhookId)).toMatchObject({ state: "delivered", dueAt: null });
  });

  test("is found by the sweep: who has something due and is not paused", async () => {
    const due = await subscribe();
    const paused = await subscribe();
    await record(statuses(1));
    const idle = await subscribe();
    await execute(database.pool, "UPDATE webhooks SET paused_until = NOW(3) + INTERVAL 1 HOUR WHERE webhook_id = ?", [
      paused.webhookId,
    ]);
    const found = await deliveries.listWebhooksToWake(database, 100);
    expect(found).toContain(due.webhookId);
    expect(found).not.toContain(paused.webhookId);
    expect(found).not.toContain(idle.webhookId);
  });

  test("deliveries that wait too long are given up, and those of a webhook that is gone forgotten", async () => {
    const { webhookId } = await subscribe();
    await record(statuses(2));
    await execute(database.pool, "UPDATE deliveries SET expires_at = NOW(3) WHERE webhook_id = ?", [webhookId]);
    await deliverDue(services, webhookId);
    expect(received).toHaveLength(0);
    expect(await deliveries.expire(database)).toBe(2);
    expect(await log(webhookId)).toMatchObject([{ state: "dead", error: "expired" }, { state: "dead" }]);
    await webhooks.remove(database, webhookId);
    while (await deliveries.removeOrphans(database));
    expect(await log(webhookId)).toEqual([]);
  });
});
