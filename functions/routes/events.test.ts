import { describe, expect, test } from "vitest";
import * as events from "../../shared/db/events.ts";
import { transaction } from "../../shared/db/pool.ts";
import type { NewEvent } from "../../shared/events.ts";
import type { CommandId, DeviceId } from "../../shared/ids.ts";
import { StreamPlaces } from "../stream-places.ts";
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

const append = (deviceId: DeviceId, text: string) =>
  transaction(database, (runner) => events.append(runner, deviceId, 1, [received(text)]));

test("whoever waits is answered when there is something to tell", async () => {
  const deviceId = await createDevice("waited");
  const asked = call("GET", `${EVENTS}?deviceId=waited&wait=20`);
  await append(deviceId, "ditunggu");
  expect((await asked).body.data).toMatchObject({ events: [{ sequence: 1 }], lastSequence: 1 });
  expect((await call("GET", `${EVENTS}?deviceId=waited&after=1&wait=0`)).body.data["events"]).toEqual([]);
});

describe("a stream", () => {
  const headers = { accept: "text/event-stream" };
  const open = async (path: string, more: Record<string, string> = {}, streams = new StreamPlaces()) => {
    const gone = new AbortController();
    const response = await gateway.ask(
      "GET",
      path,
      { headers: { ...headers, ...more } },
      { streams, closing: gone.signal },
    );
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    /** Reads on until the text holds this. */
    const until = async (expected: string) => {
      while (!text.includes(expected)) {
        const piece = await reader?.read();
        if (!piece || piece.done) throw new Error(`the stream ended without ${expected}: ${text}`);
        text += piece.value;
      }
      return text;
    };
    const toEnd = async () => {
      for (;;) if ((await reader?.read())?.done !== false) return;
    };
    return { response, until, toEnd, leave: async () => await reader?.cancel(), close: () => gone.abort() };
  };

  test("tells what was recorded and what comes, and resumes after the last event", async () => {
    const deviceId = await createDevice("streamed");
    await append(deviceId, "pertama");
    const first = await open(`${EVENTS}?deviceId=streamed`);
    expect(first.response.headers.get("content-type")).toBe("text/event-stream");
    await first.until("pertama");
    await append(deviceId, "kedua");
    expect(await first.until("kedua")).toMatch(/id: 1\nevent: message\.received\ndata: \{.*pertama.*\}\n\n/);
    await first.leave();
    await append(deviceId, "ketiga");
    const second = await open(`${EVENTS}?deviceId=streamed&after=0`, { "last-event-id": "2" });
    const text = await second.until("ketiga");
    expect(text).toContain("id: 3\n");
    expect(text).not.toMatch(/pertama|kedua/);
    second.close();
    await second.toEnd();
  });

  test("has one of ten places of its user, and gives it back", async () => {
    await createDevice("crowded");
    const streams = new StreamPlaces();
    const places = Array.from({ length: 10 }, () => open(`${EVENTS}?deviceId=crowded`, {}, streams));
    const opened = await Promise.all(places);
    const refused = await gateway.ask("GET", `${EVENTS}?deviceId=crowded`, { headers }, { streams });
    expect(refused.status).toBe(429);
    await Promise.all(opened.map((one) => one.leave()));
    const again = await open(`${EVENTS}?deviceId=crowded`, {}, streams);
    expect(again.response.status).toBe(200);
    await again.leave();
  });

  test("is whole and at its end where answers are not sent in pieces", async () => {
    const deviceId = await createDevice("buffered");
    await append(deviceId, "sekali");
    const response = await gateway.ask("GET", `${EVENTS}?deviceId=buffered`, { headers });
    expect(await response.text()).toMatch(/^retry: 1000\n\nid: 1\nevent: message\.received\ndata: .*sekali.*\n\n$/);
  });
});
