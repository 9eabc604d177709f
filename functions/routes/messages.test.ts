import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as commands from "../../shared/db/commands.ts";
import { openCommandQueues } from "../../shared/queue.ts";
import { MAX_QUEUED_MESSAGES } from "../../shared/dispatch.ts";
import { newCommandId } from "../../shared/ids.ts";
import type { CommandId, DeviceId } from "../../shared/ids.ts";
import { startGateway } from "../testing/gateway.ts";
import type { Ask } from "../testing/gateway.ts";
import { startHost } from "../testing/host.ts";
import type { Behaviour, HostDouble } from "../testing/host.ts";

const gateway = await startGateway();
const { call, createDevice, database, services } = gateway;
const MESSAGE = { to: "081234567890", message: "Halo" };
const JID = "6281234567890@s.whatsapp.net";
const MISSING_QUEUES = services.config.commandQueueUrls.map((url) => url.replace(/shard-\d/, "missing"));
const impatient = { config: { ...services.config, syncWaitMs: 100 } };

const accept: Behaviour = async () => ({ state: "accepted", result: {} });
let host: HostDouble;
let behave = accept;
const open = await createDevice("open");

beforeAll(async () => {
  host = await startHost(database, gateway.queues, (command, double) => behave(command, double));
  await host.setStatus(open, { status: "connected", phoneNumber: "628111222333", desired: "connected" });
});
afterAll(() => host.stop());
beforeEach(() => {
  behave = accept;
});

const send = (question: Ask = { body: MESSAGE }, changed: Parameters<typeof call>[3] = {}, deviceId = "open") =>
  call("POST", `/api/whatsapp-multi-device/devices/${deviceId}/send-message`, question, changed);

describe("a message from a connected device", () => {
  test("is answered 200 when WhatsApp's server has it", async () => {
    let payload: unknown;
    behave = async (command) => {
      ({ payload } = command);
      return { state: "accepted", result: {} };
    };
    const { status, body } = await send();
    expect(status).toBe(200);
    expect(body.message).toBe("Pesan berhasil dikirim");
    expect(body.data).toMatchObject({
      deviceId: "open",
      to: JID,
      messageId: expect.stringMatching(/^3EB0[0-9A-F]{18}$/),
    });
    expect(Date.parse(String(body.data["timestamp"]))).toBeGreaterThan(Date.now() - 60_000);
    expect(payload).toEqual({ kind: "send-text", to: JID, text: "Halo" });
  });

  test.each([
    ["+6281234567890", JID],
    ["6281234567890:7@s.whatsapp.net", JID],
    ["120363012345678901@g.us", "120363012345678901@g.us"],
    ["123456789012345@lid", "123456789012345@lid"],
  ])("to %s goes to %s", async (to, jid) => {
    const { status, body } = await send({ body: { ...MESSAGE, to } });
    expect(status).toBe(200);
    expect(body.data["to"]).toBe(jid);
  });

  test("is answered 202 when the host takes longer than the wait, and its command tells the rest", async () => {
    behave = async () => undefined;
    const { status, body } = await send({ body: MESSAGE }, impatient);
    expect(status).toBe(202);
    expect(body.data).toMatchObject({ deviceId: "open", status: expect.stringMatching(/queued|sending/) });
    const commandId = String(body.data["commandId"]) as CommandId;
    const command = await commands.get(database, commandId);
    if (!command) throw new Error("the command has no row");
    await host.finish(command, { state: "accepted", result: {} });
    const told = await call("GET", `/api/whatsapp-multi-device/commands/${commandId}`);
    expect(told.body.data).toMatchObject({
      commandId,
      kind: "send-text",
      status: "accepted",
      messageId: body.data["messageId"],
      finishedAt: expect.any(String),
    });
  });

  test("is answered 202 at once if the client prefers that", async () => {
    behave = async () => undefined;
    const start = performance.now();
    const { status, headers, body } = await send({ body: MESSAGE, headers: { prefer: "respond-async, wait=10" } });
    expect(status).toBe(202);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(headers.get("preference-applied")).toBe("respond-async");
    expect(body.data).toMatchObject({ messageId: expect.stringMatching(/^3EB0/) });
  });

  test.each([
    ["not_on_whatsapp", 422, "not_on_whatsapp"],
    ["not_connected", 409, "not_connected"],
    ["ack_463", 422, "refused_by_whatsapp"],
  ])("that fails with %s is answered %i", async (errorCode, status, code) => {
    behave = async () => ({ state: "failed", errorCode, errorDetail: "why" });
    const answer = await send();
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(answer.body.error.details?.[0]?.message).toContain("why");
  });
});

describe("a wrong message", () => {
  test.each([
    ["without a recipient", { message: "Halo" }, "validation_failed", ["body.to"]],
    ["without a text", { to: "081234567890" }, "validation_failed", ["body.message"]],
    ["with nothing", {}, "validation_failed", ["body.to", "body.message"]],
    ["with a bad phone number", { to: "12345", message: "Halo" }, "invalid_phone", ["body.to"]],
    ["with a foreign phone number", { to: "+60123456789", message: "Halo" }, "invalid_phone", ["body.to"]],
    ["with a broken JID", { to: "abc@s.whatsapp.net", message: "Halo" }, "invalid_phone", ["body.to"]],
    ["with a bad number and no text", { to: "1", message: "" }, "validation_failed", ["body.to", "body.message"]],
    ["with a text that is too long", { ...MESSAGE, message: "x".repeat(4097) }, "validation_failed", ["body.message"]],
    ["with half a character", { ...MESSAGE, message: "a\ud800" }, "validation_failed", ["body.message"]],
    ["of wrong types", { to: 81234567890, message: ["Halo"] }, "validation_failed", ["body.to", "body.message"]],
    ["both one and many", { ...MESSAGE, messages: [MESSAGE] }, "validation_failed", ["body.messages"]],
    [
      "of many, one of them bad",
      { messages: [MESSAGE, { to: 1 }] },
      "validation_failed",
      ["body.messages.1.to", "body.messages.1.message"],
    ],
    ["that is a list", [MESSAGE], "validation_failed", ["body"]],
  ])("%s is refused, and every wrong field named", async (_what, body, code, paths) => {
    const answer = await send({ body });
    expect(answer).toMatchObject({ status: 400, body: { error: { code } } });
    expect(answer.body.error.details?.map(({ path }) => path)).toEqual(paths);
  });

  test("every wrong part of the request is named at once", async () => {
    const question = { body: { to: "1" }, headers: { "idempotency-key": "k".repeat(256) } };
    const { body } = await send(question, {}, "a!");
    const paths = body.error.details?.map(({ path }) => path);
    expect(paths).toEqual(["params.deviceId", "headers.idempotency-key", "body.to", "body.message"]);
  });

  test("the longest text and the longest key are taken", async () => {
    const question = {
      body: { ...MESSAGE, message: "x".repeat(4096) },
      headers: { "idempotency-key": "k".repeat(255) },
    };
    expect((await send(question)).status).toBe(200);
  });

  test("foreign numbers are taken where their region is open", async () => {
    const config = { ...services.config, phoneRegions: ["*"] };
    const { status, body } = await send({ body: { ...MESSAGE, to: "+60123456789" } }, { config });
    expect(status).toBe(200);
    expect(body.data["to"]).toBe("60123456789@s.whatsapp.net");
  });
});

describe("a device that is not connected", () => {
  test.each(["created", "disconnected", "logged_out", "pairing"] as const)("and %s refuses at once", async (status) => {
    const deviceId = await createDevice(`is-${status}`);
    await host.setStatus(deviceId, { status });
    const answer = await send({ body: MESSAGE }, {}, deviceId);
    expect(answer).toMatchObject({
      status: 409,
      body: { message: "WhatsApp tidak terhubung", error: { code: "not_connected" } },
    });
    expect(host.seen.filter((message) => message.deviceId === deviceId)).toEqual([]);
  });

  test("but is just being opened again queues the message", async () => {
    const deviceId = await createDevice("reopening");
    await host.setStatus(deviceId, { status: "connecting", phoneNumber: "628111222444", desired: "connected" });
    expect((await send({ body: MESSAGE }, {}, deviceId)).status).toBe(200);
  });

  test("answers 404 when it is unknown", async () => {
    const answer = await send({ body: MESSAGE }, {}, "unknown");
    expect(answer).toMatchObject({ status: 404, body: { error: { code: "device_not_found" } } });
  });
});

describe("an Idempotency-Key", () => {
  const keyed = (key: string, body: unknown = MESSAGE): Ask => ({ body, headers: { "idempotency-key": key } });
  const sentBy = (deviceId: string) => host.seen.filter((message) => message.deviceId === deviceId).length;

  test("makes a second request the same one", async () => {
    const before = sentBy("open");
    const first = await send(keyed("again"));
    const again = await send(keyed("again", { message: "Halo", to: "081234567890" }));
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body.data).toEqual(first.body.data);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    expect(sentBy("open")).toBe(before + 1);
  });

  test("repeats a failure, too", async () => {
    behave = async () => ({ state: "failed", errorCode: "not_on_whatsapp" });
    await send(keyed("failing"));
    behave = accept;
    const again = await send(keyed("failing"));
    expect(again).toMatchObject({ status: 422, body: { error: { code: "not_on_whatsapp" } } });
    expect(again.headers.get("idempotency-replayed")).toBe("true");
  });

  test("is refused for another body, and for another device", async () => {
    await send(keyed("mine"));
    const other = await send(keyed("mine", { ...MESSAGE, message: "Hai" }));
    expect(other).toMatchObject({ status: 409, body: { error: { code: "idempotency_mismatch" } } });
    const deviceId = await createDevice("elsewhere");
    expect((await send(keyed("mine"), {}, deviceId)).body.error.code).toBe("idempotency_mismatch");
  });

  test("belongs to one user", async () => {
    await send(keyed("shared"));
    const token = await gateway.stranger();
    const body = { deviceId: "strangers" };
    await call("POST", "/api/whatsapp-multi-device/devices", { body, token });
    await host.setStatus("strangers" as typeof open, { status: "connected", phoneNumber: "628111222555" });
    const answer = await send({ ...keyed("shared"), token }, {}, "strangers");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("idempotency-replayed")).toBeNull();
  });

  test("lets requests side by side wait for one message", async () => {
    const before = sentBy("open");
    const answers = await Promise.all(Array.from({ length: 8 }, () => send(keyed("parallel"))));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(new Set(answers.map(({ body }) => body.data["messageId"])).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("idempotency-replayed") === null)).toHaveLength(1);
    expect(sentBy("open")).toBe(before + 1);
  });

  test("is answered as before after the device was disconnected", async () => {
    const deviceId = await createDevice("gone-since");
    await host.setStatus(deviceId, { status: "connected", phoneNumber: "628111222666" });
    const first = await send(keyed("before"), {}, deviceId);
    await host.setStatus(deviceId, { status: "disconnected" });
    const again = await send(keyed("before"), {}, deviceId);
    expect(again.status).toBe(200);
    expect(again.body.data).toEqual(first.body.data);
    expect((await send(keyed("after"), {}, deviceId)).status).toBe(409);
  });

  test("lets a client try again what could not be queued", async () => {
    const away = openCommandQueues(MISSING_QUEUES);
    const refused = await send(keyed("retried"), { queues: away });
    expect(refused).toMatchObject({ status: 503, body: { error: { code: "unavailable" } } });
    expect(refused.headers.get("retry-after")).toBe("5");
    const retried = await send(keyed("retried"));
    expect(retried.status).toBe(200);
    expect(retried.headers.get("idempotency-replayed")).toBe("true");
    away.close();
  });
});

test("without a key, a message that could not be queued is never sent", async () => {
  const away = openCommandQueues(MISSING_QUEUES);
  expect((await send({ body: MESSAGE }, { queues: away })).status).toBe(503);
  away.close();
  const [rows] = await database.pool.execute(
    "SELECT state, payload, error_code FROM commands WHERE state = 'queued' OR error_code = 'unavailable'",
  );
  expect(rows).toEqual([{ state: "failed", payload: null, error_code: "unavailable" }]);
});

describe("a device for which too many messages wait", () => {
  const waiting = async (count: number) => {
    const payload = { kind: "send-text" as const, to: JID, text: "waits" };
    const common = { deviceId: "crowded" as DeviceId, userId: gateway.userId, payload, messageId: null };
    for (let n = 0; n < count; n++) await commands.create(database, { ...common, commandId: newCommandId() });
  };
  beforeAll(async () => {
    const crowded = await createDevice("crowded");
    await host.setStatus(crowded, { status: "connected", phoneNumber: "628111222334", desired: "connected" });
    await waiting(MAX_QUEUED_MESSAGES - 1);
  });

  test("takes as many as may wait, then refuses with 429 and Retry-After, and keeps what it has accepted", async () => {
    const key = { "idempotency-key": "crowded-1", prefer: "respond-async" };
    behave = async () => undefined;
    expect((await send({ body: MESSAGE, headers: key }, {}, "crowded")).status).toBe(202);
    await waiting(1);
    const refused = await send({ body: MESSAGE }, {}, "crowded");
    expect([refused.status, refused.body.error.code]).toEqual([429, "too_many_requests"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const again = await send({ body: MESSAGE, headers: key }, {}, "crowded");
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([202, "true"]);
  });

  test("does not keep others waiting", async () => {
    expect((await send()).status).toBe(200);
  });
});
