import { beforeAll, describe, expect, test } from "vitest";
import * as messageLists from "../../shared/db/message-lists.ts";
import * as messages from "../../shared/db/messages.ts";
import type { NewMessage } from "../../shared/db/messages.ts";
import * as sessions from "../../shared/db/sessions.ts";
import type { DeviceId } from "../../shared/ids.ts";
import { startGateway } from "../testing/gateway.ts";

const gateway = await startGateway();
const BASE = "/api/whatsapp";
const OWN = "6281100000001";
const BUDI = "6281100000002";
const ANI_LID = "91872345678901@lid";
const GROUP = "120363041234567890@g.us";
let session: number;
let stranger: string;
let count = 0;

/** A text at a time in Jakarta, seven hours before UTC. */
const text = (sender: string, receiver: string, at: string, more: Partial<NewMessage> = {}): NewMessage => ({
  messageId: `M${++count}`,
  chat: receiver === GROUP ? GROUP : `${sender === OWN ? receiver : sender}@s.whatsapp.net`,
  sender,
  receiver,
  senderName: null,
  isOwn: sender === OWN,
  content: { messageType: "text", text: `teks ${count}` },
  sentAt: new Date(`${at}+07:00`),
  status: sender === OWN ? "sent" : "received",
  ...more,
});

async function sessionOf(deviceId: DeviceId, number: string): Promise<number> {
  const link = { userId: gateway.userId, deviceId, number };
  return (await sessions.idsOf(gateway.database.pool, [link])).get(deviceId) ?? 0;
}

beforeAll(async () => {
  session = await sessionOf(await gateway.createDevice("shop"), OWN);
  stranger = await gateway.stranger();
  const rows = [
    text(BUDI, OWN, "2026-11-20T23:59:59"),
    text(OWN, BUDI, "2026-11-21T00:00:00"),
    text(BUDI, OWN, "2026-11-21T00:00:00", { content: { messageType: "image", caption: "lihat", media } }),
    text(ANI_LID, OWN, "2026-11-21T10:30:00"),
    text("6281100000003", OWN, "2026-11-21T10:45:00"),
    text(BUDI, GROUP, "2026-11-21T23:59:59"),
    text(OWN, GROUP, "2026-11-22T00:00:00"),
  ];
  const { pool } = gateway.database;
  await messages.keep(
    pool,
    rows.map((message) => ({ sessionId: session, message })),
  );
  // What is offered again is there once.
  await messages.keep(
    pool,
    rows.slice(0, 3).map((message) => ({ sessionId: session, message })),
  );
  await messages.learnLids(pool, session, [{ lid: ANI_LID, phone: "6281100000003" }]);
});
const media = { mimetype: "image/png", sizeBytes: 6, sha256: null };

type View = { message_id: string; message: string | null; sender_number: string };
type Page = { messages: View[]; pagination: object; nextCursor: string | null };
const ask = async (path: string, token?: string) => {
  const { status, body } = await gateway.call("GET", `${BASE}${path}`, token === undefined ? {} : { token });
  return { status, body, data: body.data as unknown as Page & Record<string, unknown> };
};
const idsOf = async (path: string, token?: string) =>
  (await ask(path, token)).data.messages.map((one) => one.message_id);

describe("stored messages", () => {
  test("of a session come by the days of the installation, the newest first", async () => {
    expect(await idsOf(`/message/details?session_id=${session}`)).toEqual(["M7", "M6", "M5", "M4", "M3", "M2", "M1"]);
    expect(await idsOf(`/message/details?session_id=${session}&date=2026-11-21`)).toEqual([
      "M6",
      "M5",
      "M4",
      "M3",
      "M2",
    ]);
    const { data } = await ask(`/message/details?session_id=${session}&date=2026-11-20`);
    expect(data).toMatchObject({
      messages: [{ message: "teks 1", direction: "in", timestamp: "2026-11-20T16:59:59.000Z", message_type: "text" }],
      pagination: { page: 1, pageSize: 10, total: 1, totalPages: 1 },
      nextCursor: null,
    });
  });

  test("of a number are found in any spelling, under its LID too", async () => {
    for (const spelling of ["081100000002", "+6281100000002", BUDI, `${BUDI}@s.whatsapp.net`]) {
      expect(await idsOf(`/messages/number/${encodeURIComponent(spelling)}?order=asc`)).toEqual([
        "M1",
        "M2",
        "M3",
        "M6",
      ]);
    }
    for (const address of [ANI_LID, "081100000003"]) {
      expect(await idsOf(`/messages/number/${encodeURIComponent(address)}`)).toEqual(["M5", "M4"]);
    }
    expect((await ask("/messages/number/abc")).body.error.code).toBe("invalid_phone");
  });

  test("of one's own number are those of every session of it", async () => {
    expect(await idsOf("/messages/by-number/081100000001?date=2026-11-22")).toEqual(["M7"]);
    expect(await idsOf(`/messages/by-number/${BUDI}`)).toEqual([]);
  });

  test("of two are what they wrote to each other, or one of them in a group", async () => {
    expect(await idsOf(`/conversation/${OWN}/${BUDI}`)).toEqual(["M1", "M2", "M3"]);
    expect(await idsOf(`/conversation/${BUDI}/${OWN}?order=desc&start_date=2026-11-21`)).toEqual(["M3", "M2"]);
    expect(await idsOf(`/conversation/${BUDI}/${GROUP}`)).toEqual(["M6"]);
    expect(await idsOf(`/conversation/${ANI_LID}/081100000003`)).toEqual([]);
  });

  test("are looked for by sender, receiver and days", async () => {
    expect(await idsOf(`/history/filtered?sender_number=081100000002`)).toEqual(["M6", "M3", "M1"]);
    expect(await idsOf(`/history/filtered?receiver_number=${GROUP}`)).toEqual(["M7", "M6"]);
    expect(await idsOf(`/history/filtered?sender_number=${OWN}&receiver_number=${BUDI}`)).toEqual(["M2"]);
    expect(await idsOf("/history/filtered?start_date=2026-11-21&end_date=2026-11-21")).toHaveLength(5);
  });

  test("come in pages that neither repeat nor leave out, by number and by cursor", async () => {
    const path = `/messages/number/${BUDI}?pageSize=3`;
    const first = await ask(path);
    expect(first.data.pagination).toEqual({ page: 1, pageSize: 3, total: 4, totalPages: 2 });
    const second = await idsOf(`${path}&page=2`);
    expect([...first.data.messages.map((one) => one.message_id), ...second]).toEqual(["M6", "M3", "M2", "M1"]);
    expect(await idsOf(`${path}&cursor=${first.data.nextCursor}`)).toEqual(second);
    expect((await ask(`${path}&page=100000`)).body.error.details).toMatchObject([{ path: "query.page" }]);
  });

  test("of few sessions and of many come in the same order, and nobody else's among them", async () => {
    const others = 999_999;
    await messages.keep(gateway.database.pool, [
      { sessionId: others, message: text(BUDI, "6281100000008", "2026-11-21T12:00:00", { messageId: "OTHER" }) },
    ]);
    const unused = Array.from({ length: 60 }, (_, at) => 1_000_000 + at);
    const page = { limit: 3, offset: 2 };
    for (const scope of [[session], [session, ...unused.slice(0, 3)], [session, ...unused]]) {
      const selection = { alternatives: "everything", range: {}, scope } as const;
      const found = await messageLists.list(gateway.database, selection, "desc", page);
      expect(found.map(({ messageId }) => messageId)).toEqual(["M5", "M4", "M3"]);
      expect(await messageLists.count(gateway.database, selection)).toBe(7);
    }
    await gateway.database.pool.query("DELETE FROM messages WHERE session_id = ?", [others]);
  });

  test("are nobody else's", async () => {
    for (const path of [`/messages/number/${BUDI}`, `/conversation/${OWN}/${BUDI}`, "/history/filtered"]) {
      expect(await idsOf(path, stranger)).toEqual([]);
    }
    expect((await ask(`/message/details?session_id=${session}`, stranger)).body.error.code).toBe("session_not_found");
    expect((await ask(`/messages/number/${BUDI}/mapping`, stranger)).data["counterparts"]).toEqual([]);
  });

  test("are counted by kind and by hour of the installation", async () => {
    const { data } = await ask(`/message/stats?session_id=${session}&date=2026-11-21`);
    expect(data).toMatchObject({
      total: 5,
      incoming: 4,
      outgoing: 1,
      by_type: [
        { message_type: "text", incoming: 3, outgoing: 1 },
        { message_type: "image", incoming: 1, outgoing: 0 },
      ],
    });
    const hours = data["by_hour"] as { hour: number; incoming: number; outgoing: number }[];
    expect(hours).toHaveLength(24);
    expect(hours.filter(({ incoming, outgoing }) => incoming + outgoing > 0)).toEqual([
      { hour: 0, incoming: 1, outgoing: 1 },
      { hour: 10, incoming: 2, outgoing: 0 },
      { hour: 23, incoming: 1, outgoing: 0 },
    ]);
  });

  test("tell with whom a number has written, each person once", async () => {
    const { data } = await ask(`/messages/number/${OWN}/mapping`);
    expect(data["counterparts"]).toMatchObject([
      { number: GROUP, is_group: true, incoming: 0, outgoing: 1 },
      { number: "6281100000003", incoming: 2, outgoing: 0, first_at: "2026-11-21T03:30:00.000Z" },
      { number: BUDI, incoming: 2, outgoing: 1, total: 3 },
    ]);
    const contacts = await ask(`/messages/number/${OWN}/contacts?pageSize=2&page=2`);
    expect(contacts.data).toMatchObject({
      contacts: [{ number: BUDI, is_group: false }],
      pagination: { page: 2, pageSize: 2, total: 3, totalPages: 2 },
    });
    const beyond = await ask(`/messages/number/${OWN}/contacts?pageSize=2&page=9`);
    expect(beyond.data).toMatchObject({ contacts: [], pagination: { total: 3 } });
  });

  test("show what was edited and deleted, and by nobody but who wrote it", async () => {
    const { pool } = gateway.database;
    const at = new Date("2026-11-22T05:00:00Z");
    const edit = () => ({ messageType: "text" as const, text: "disunting" });
    await messages.change(pool, session, { kind: "edited", messageId: "M1", sender: BUDI, at, edit });
    await messages.change(pool, session, { kind: "edited", messageId: "M2", sender: BUDI, at, edit });
    await messages.change(pool, session, { kind: "deleted", messageId: "M3", sender: BUDI, at });
    const { data } = await ask(`/conversation/${OWN}/${BUDI}`);
    expect(data.messages).toMatchObject([
      { message: "disunting", edited_at: at.toISOString() },
      { message: "teks 2", edited_at: null },
      { message: null, details: null, deleted_at: at.toISOString() },
    ]);
  });
});

describe("a session", () => {
  test("is what a device was linked to, with a note", async () => {
    const path = `${BASE}/sessions/${session}`;
    const { body } = await gateway.call("PUT", `${path}/keterangan`, { body: { keterangan: "Cabang" } });
    expect(body.data).toMatchObject({
      device_id: "shop",
      whatsapp_number: OWN,
      status: "disconnected",
      keterangan: "Cabang",
    });
    const list = await gateway.call("GET", `${BASE}/sessions/user/${gateway.userId}`);
    expect(list.body.data["sessions"]).toMatchObject([{ id: session, keterangan: "Cabang" }]);
    expect((await gateway.call("GET", path, { token: stranger })).status).toBe(404);
    expect((await ask(`/sessions/user/${gateway.userId}`, stranger)).data["sessions"]).toEqual([]);
  });

  test("outlives its device, for whom it was, and not for a new owner of the id", async () => {
    const device = await gateway.createDevice("soon-gone");
    const id = await sessionOf(device, "6281100000009");
    await gateway.database.pool.query("DELETE FROM devices WHERE device_id = ?", [device]);
    expect((await ask(`/sessions/${id}`)).status).toBe(200);
    await gateway.call("POST", "/api/whatsapp-multi-device/devices", { body: { deviceId: device }, token: stranger });
    expect((await ask(`/sessions/${id}`, stranger)).status).toBe(404);
  });
});

describe("an allowed number", () => {
  test("is added once, listed, switched and removed", async () => {
    const body = { whatsapp_number: "081100000001", session_id: session };
    const headers = { "idempotency-key": "allow-1" };
    const added = await gateway.call("POST", `${BASE}/allowed-numbers`, { body, headers });
    expect(added).toMatchObject({ status: 201, body: { data: { whatsapp_number: OWN, status: "aktif" } } });
    const again = await gateway.call("POST", `${BASE}/allowed-numbers`, { body, headers });
    expect(again.body.data).toEqual(added.body.data);
    expect((await gateway.call("POST", `${BASE}/allowed-numbers`, { body })).body.error.code).toBe("number_exists");
    const id = String(added.body.data["id"]);
    const path = `${BASE}/allowed-numbers/${id}`;
    const off = await gateway.call("PUT", `${path}/status`, { body: { status: "nonaktif" } });
    expect(off.body.data).toMatchObject({ id: Number(id), status: "nonaktif" });
    expect((await gateway.call("DELETE", path, { token: stranger })).status).toBe(404);
    expect((await ask(`/allowed-numbers?whatsapp_number=${OWN}`, stranger)).data["allowed_numbers"]).toEqual([]);
    expect((await ask(`/allowed-numbers?whatsapp_number=${OWN}`)).data["allowed_numbers"]).toHaveLength(1);
    expect((await gateway.call("DELETE", path)).status).toBe(200);
    expect((await ask("/allowed-numbers")).data["pagination"]).toMatchObject({ total: 0 });
  });
});
