import { expect, test } from "vitest";
import * as events from "../../shared/db/events.ts";
import { transaction } from "../../shared/db/pool.ts";
import type { NewEvent } from "../../shared/events.ts";
import type { CommandId } from "../../shared/ids.ts";
import { startGateway } from "../testing/gateway.ts";

const EVENTS = "/api/whatsapp-multi-device/events";
const gateway = await startGateway();
const { call, createDevice, database } = gateway;
const occurredAt = new Date("2026-11-22T04:30:00.500Z");
const sender = { jid: "628@s.whatsapp.net", phone: "628", lid: null, name: "Budi" };
const received = (text: string): NewEvent => ({
  type: "message.received",
  dedupeKey: `received:${text}`,
  occurredAt,
  data: {
    messageId: "3A",
    chat: "628@s.whatsapp.net",
    chatPhone: "628",
    chatLid: null,
    fromMe: false,
    sender,
    messageType: "text",
    text,
    sentAt: "2026-11-22T04:30:00.000Z",
  },
});
const others: NewEvent[] = [
  {
    type: "message.sent",
    dedupeKey: null,
    occurredAt,
    data: { commandId: "cmd_1" as CommandId, messageId: "3EB0", to: "628@s.whatsapp.net" },
  },
  {
    type: "message.status",
    dedupeKey: null,
    occurredAt,
    data: { messageId: "3EB0", chat: "628@s.whatsapp.net", participant: null, status: "read" },
  },
  {
    type: "device.status",
    dedupeKey: null,
    occurredAt,
    data: { status: "connected", reason: null, phoneNumber: "628" },
  },
];

test("events come oldest first, page by page, each once", async () => {
  const deviceId = await createDevice("talking");
  const all = [received("satu"), ...others, received("dua")];
  await transaction(database, (runner) => events.append(runner, deviceId, 1, all));
  const seen: unknown[] = [];
  let after = 0;
  for (let hasMore = true; hasMore;) {
    const { status, body } = await call("GET", `${EVENTS}?deviceId=talking&after=${after}&limit=2`);
    expect(status).toBe(200);
    const page = body.data as { events: unknown[]; hasMore: boolean; lastSequence: number };
    seen.push(...page.events);
    ({ hasMore, lastSequence: after } = page);
  }
  expect(seen).toMatchObject(
    all.map(({ type, data }, index) => ({
      sequence: index + 1,
      deviceId,
      type,
      data,
      occurredAt: occurredAt.toISOString(),
    })),
  );
});

test("past the last event there is nothing, and the cursor stays", async () => {
  await createDevice("mute");
  const { body } = await call("GET", `${EVENTS}?deviceId=mute&after=7`);
  expect(body.data).toEqual({ events: [], lastSequence: 7, hasMore: false });
});

test("every wrong parameter is named", async () => {
  const { status, body } = await call("GET", `${EVENTS}?after=-1&limit=many`);
  expect(status).toBe(400);
  expect(body.error.details).toEqual([
    { path: "query.deviceId", message: "wajib diisi" },
    { path: "query.after", message: "harus paling sedikit 0" },
    { path: "query.limit", message: "harus bertipe number" },
  ]);
});

test("a page has at most 1000 events", async () => {
  await createDevice("large");
  expect((await call("GET", `${EVENTS}?deviceId=large&limit=1000`)).status).toBe(200);
  expect((await call("GET", `${EVENTS}?deviceId=large&limit=1001`)).status).toBe(400);
});

test("an unknown device is not found", async () => {
  const answer = await call("GET", `${EVENTS}?deviceId=nobody`);
  expect(answer).toMatchObject({ status: 404, body: { error: { code: "device_not_found" } } });
});
