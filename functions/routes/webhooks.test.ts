import { beforeEach, describe, expect, test } from "vitest";
import * as deliveries from "../../shared/db/deliveries.ts";
import * as events from "../../shared/db/events.ts";
import { execute, select, transaction } from "../../shared/db/pool.ts";
import type { WebhookId } from "../../shared/ids.ts";
import { startGateway } from "../testing/gateway.ts";

const gateway = await startGateway({ SYNC_WAIT_MS: "20" });
const { call, database } = gateway;
const WEBHOOKS = "/api/webhooks";
const url = "https://shop.example.com/whatsapp";
const device = await gateway.createDevice("shop");
await gateway.createDevice("desk");
beforeEach(async () => {
  await execute(database.pool, "DELETE FROM webhooks");
  await execute(database.pool, "DELETE FROM events");
});

const create = (body: object = {}, question: { token?: string; headers?: Record<string, string> } = {}) =>
  call("POST", WEBHOOKS, { body: { url, events: ["*"], ...body }, ...question });
const created = async (body: object = {}) => (await create(body)).body.data as { webhookId: WebhookId; secret: string };
const record = (count: number) =>
  transaction(database, (runner) =>
    events.append(
      runner,
      device,
      1,
      Array.from({ length: count }, () => ({
        type: "device.status" as const,
        data: { status: "connected" as const, reason: null, phoneNumber: null },
        dedupeKey: null,
        occurredAt: new Date(),
      })),
    ),
  );
const logOf = async (webhookId: string, query = "") =>
  (await call("GET", `${WEBHOOKS}/${webhookId}/deliveries${query}`)).body.data as {
    deliveries: { deliveryId: number; state: string; eventId: string }[];
    hasMore: boolean;
  };

describe("a webhook", () => {
  test("shows its secret once, and keeps neither that nor its headers as they are", async () => {
    const answer = await create({ headers: { authorization: "Bearer rahasia" }, description: "Toko" });
    expect(answer.status).toBe(201);
    const { secret, webhookId } = answer.body.data as { secret: string; webhookId: string };
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const shown = await call("GET", `${WEBHOOKS}/${webhookId}`);
    expect(shown.body.data).toMatchObject({
      url,
      headerNames: ["authorization"],
      status: "active",
      description: "Toko",
    });
    expect(JSON.stringify([shown.body, (await call("GET", WEBHOOKS)).body])).not.toContain(secret);
    const rows = JSON.stringify(
      await select(database.pool, "SELECT CONVERT(secret USING latin1), headers FROM webhooks"),
    );
    for (const hidden of [secret, "rahasia"]) expect(rows).not.toContain(hidden);
  });

  test("that is asked for again under its key is the same one, with the same secret", async () => {
    const headers = { "idempotency-key": "hook-1" };
    const [first, second] = [await create({}, { headers }), await create({}, { headers })];
    expect(second.body.data).toEqual(first.body.data);
    expect(second.headers.get("idempotency-replayed")).toBe("true");
    const other = await create({ events: ["device.qr"] }, { headers });
    expect(other.body.error.code).toBe("idempotency_mismatch");
  });

  test.each([
    ["a URL with a password", { url: "https://me:secret@a.example/" }, "url_not_allowed"],
    ["another scheme", { url: "ftp://a.example/" }, "url_not_allowed"],
    ["a port below 1024", { url: "http://a.example:25/" }, "url_not_allowed"],
    ["no events", { events: [] }, "validation_failed"],
    ["an unknown event", { events: ["message.lost"] }, "validation_failed"],
    ["a header of the connection", { headers: { Connection: "close" } }, "validation_failed"],
    ["a header of ours", { headers: { "Webhook-Id": "1" } }, "validation_failed"],
    ["a header that is two", { headers: { "x-a": "1\r\nx-b: 2" } }, "validation_failed"],
    ["a device of nobody", { deviceIds: ["nobodys"] }, "device_not_found"],
  ])("is not made with %s", async (_what, body, code) => {
    expect((await create(body)).body.error.code).toBe(code);
  });

  test("of a token for some devices is for some of those", async () => {
    const token = await gateway.limited({ deviceIds: [device] });
    expect((await create({}, { token })).body.error.code).toBe("forbidden");
    expect((await create({ deviceIds: ["desk"] }, { token })).body.error.code).toBe("forbidden");
    const own = await create({ deviceIds: ["shop"] }, { token });
    expect(own.status).toBe(201);
    const all = await created();
    const list = await call("GET", WEBHOOKS, { token });
    expect(list.body.data["webhooks"]).toMatchObject([{ webhookId: own.body.data["webhookId"] }]);
    const turned = await call("PUT", `${WEBHOOKS}/${all.webhookId}`, { token, body: { url: "https://b.example/" } });
    expect(turned.body.error.code).toBe("webhook_not_found");
  });

  test("that is changed keeps what is not given; that is switched off gets nothing", async () => {
    const { webhookId } = await created({ deviceIds: ["shop"], ordered: true });
    const path = `${WEBHOOKS}/${webhookId}`;
    const changed = await call("PUT", path, { body: { events: ["device.status"], isActive: false } });
    expect(changed.body.data).toMatchObject({
      url,
      events: ["device.status"],
      deviceIds: ["shop"],
      ordered: true,
      status: "disabled",
      disabledReason: "requested",
    });
    await record(1);
    expect((await logOf(webhookId)).deliveries).toEqual([]);
    expect((await call("POST", `${path}/test`)).body.error.code).toBe("webhook_disabled");
    expect((await call("PUT", path, { body: { isActive: true } })).body.data).toMatchObject({ status: "active" });
    await record(1);
    expect((await logOf(webhookId)).deliveries).toHaveLength(1);
  });

  test("has 19 beside it and no more", async () => {
    for (let n = 0; n < 20; n++) await created();
    expect((await create()).body.error.code).toBe("limit_reached");
  });

  test("with a new secret says until when the old one signs too", async () => {
    const { webhookId, secret } = await created();
    const answer = await call("POST", `${WEBHOOKS}/${webhookId}/rotate-secret`, { body: { overlapHours: 2 } });
    const data = answer.body.data as { secret: string; oldSecretUntil: string };
    expect(data.secret).not.toBe(secret);
    const hours = (Date.parse(data.oldSecretUntil) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(1.9);
    expect(hours).toBeLessThan(2.1);
  });
});

describe("deliveries", () => {
  test("are listed in pages, newest first, and by state", async () => {
    const { webhookId } = await created();
    await record(5);
    const first = await logOf(webhookId, "?limit=3");
    expect(first).toMatchObject({ hasMore: true, deliveries: [{ state: "pending" }, {}, {}] });
    const rest = await logOf(webhookId, `?limit=3&before=${first.deliveries.at(-1)?.deliveryId}`);
    expect(rest).toMatchObject({ hasMore: false, deliveries: [{}, {}] });
    await execute(database.pool, "UPDATE deliveries SET state = 'dead' WHERE delivery_id = ?", [
      rest.deliveries[0]?.deliveryId ?? 0,
    ]);
    expect((await logOf(webhookId, "?state=dead")).deliveries).toMatchObject([{ state: "dead" }]);
  });

  test("can be asked for again, one by one and by time, each once", async () => {
    const { webhookId } = await created();
    const from = new Date(Date.now() - 1_000).toISOString();
    await record(3);
    const [newest] = (await logOf(webhookId)).deliveries;
    await execute(database.pool, "UPDATE deliveries SET state = 'dead', tries = 10 WHERE webhook_id = ?", [webhookId]);
    const again = await call("POST", `${WEBHOOKS}/deliveries/${newest?.deliveryId}/redeliver`);
    expect(again).toMatchObject({ status: 202, body: { data: { state: "pending", tries: 0 } } });
    expect((await logOf(webhookId, "?state=dead")).deliveries).toHaveLength(2);

    const later = await created({ events: ["device.status"] });
    const to = new Date(Date.now() + 60_000).toISOString();
    for (const id of [webhookId, later.webhookId]) {
      const replay = await call("POST", `${WEBHOOKS}/${id}/replay`, { body: { from, to } });
      expect(replay).toMatchObject({ status: 202, body: { data: { queued: 3, next: null } } });
      expect((await logOf(id)).deliveries.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
    }
    const none = await call("POST", `${WEBHOOKS}/${webhookId}/replay`, { body: { from: to, to: from } });
    expect(none.body.data).toEqual({ queued: 0, next: null });
  });

  test("of many events are replayed in parts", async () => {
    const { webhookId } = await created();
    await record(5);
    const webhook = { webhookId, userId: gateway.userId, deviceIds: null, eventTypes: ["*" as const] };
    const time = { from: new Date(0), to: new Date(Date.now() + 60_000) };
    const seen: number[] = [];
    for (let from: Date | null = time.from; from;) {
      const part: deliveries.Replay = await deliveries.replay(database, webhook, { ...time, from }, 4);
      seen.push(part.queued);
      from = part.next;
    }
    expect(seen).toEqual([4, 1]);
  });

  test("that are being tried are left to that", async () => {
    const { webhookId } = await created();
    await record(1);
    await deliveries.claim(database, webhookId);
    const [one] = (await logOf(webhookId)).deliveries;
    const answer = await call("POST", `${WEBHOOKS}/deliveries/${one?.deliveryId}/redeliver`);
    expect(answer.body.data).toMatchObject({ state: "pending", tries: 1 });
  });
});
