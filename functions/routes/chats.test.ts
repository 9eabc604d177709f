import { afterEach, describe, expect, it } from "vitest";
import type { DailyChats } from "../../shared/chats.ts";
import { keepResult } from "../../shared/results.ts";
import { startGateway } from "../testing/gateway.ts";
import { startHost } from "../testing/host.ts";
import type { Behaviour, HostDouble } from "../testing/host.ts";

const gateway = await startGateway();
const { call, createDevice, database, services } = gateway;
const BASE = "/api/whatsapp-multi-device/devices";

let host: HostDouble | undefined;
afterEach(async () => {
  await host?.stop();
  host = undefined;
});

async function answering(behave: Behaviour): Promise<void> {
  host = await startHost(database, services.queues, behave);
}

const EMPTY: DailyChats = {
  contacts: [],
  summary: {
    date: "2026-11-22",
    totalContacts: 0,
    individualContacts: 0,
    groupContacts: 0,
    totalMessages: 0,
    totalIncomingMessages: 0,
    totalOutgoingMessages: 0,
    totalUnreadMessages: 0,
    averageResponseRate: 0,
  },
  pagination: { total: 0, limit: 100, offset: 0, hasMore: false },
};

describe("reading chats", () => {
  it("asks the host for the day of the installation's time zone, and takes the answer out of the bucket", async () => {
    const deviceId = await createDevice("reader-1");
    let asked: unknown;
    await answering(async ({ commandId, payload }) => {
      asked = payload;
      return { state: "done", result: await keepResult(services.media, commandId, EMPTY) };
    });
    const { status, body } = await call(
      "GET",
      `${BASE}/${deviceId}/daily-chat-list?date=2026-11-22&includeGroups=true`,
    );
    expect(status).toBe(200);
    expect(body.data).toEqual(EMPTY);
    expect(asked).toMatchObject({
      kind: "daily-chats",
      from: Date.parse("2026-11-21T17:00:00Z"),
      to: Date.parse("2026-11-22T17:00:00Z"),
      includeGroups: true,
      limit: 100,
      offset: 0,
    });
    expect(host?.seen[0]).toMatchObject({ isReading: true });
    expect(await services.media.list("results/")).toEqual([]);
  });

  it("is 202 while the host does not answer, and the command has the answer later", async () => {
    const deviceId = await createDevice("reader-2");
    const { status, body } = await call(
      "GET",
      `${BASE}/${deviceId}/contacts`,
      {},
      {
        config: { ...services.config, syncWaitMs: 50 },
      },
    );
    expect(status).toBe(202);
    const answer = { contacts: [], total: 0 };
    await answering(async ({ commandId }) => ({
      state: "done",
      result: await keepResult(services.media, commandId, answer),
    }));
    const path = `/api/whatsapp-multi-device/commands/${String(body.data["commandId"])}`;
    await expect.poll(async () => (await call("GET", path)).body.data["result"]).toEqual(answer);
  });

  it("of a chat from a message that is not there is 404", async () => {
    const deviceId = await createDevice("reader-3");
    await answering(() => Promise.resolve({ state: "failed", errorCode: "message_not_found" }));
    const { status, body } = await call("GET", `${BASE}/${deviceId}/chat-history/081234567890?before=NOSUCH`);
    expect([status, body.error.code]).toEqual([404, "message_not_found"]);
  });

  it.each([
    ["chat-history/0812", ["params.jid"]],
    [
      "chat-history/081234567890?limit=101&source=phone&waitSeconds=61&before=",
      ["query.before", "query.limit", "query.source", "query.waitSeconds"],
    ],
    ["group-chat-history/081234567890", ["params.groupId"]],
    ["daily-chat-list", ["query.date"]],
    [
      "daily-chat-list?date=2026-02-30&includeGroups=maybe&limit=1001&offset=-1",
      ["query.date", "query.includeGroups", "query.limit", "query.offset"],
    ],
  ])("names what is wrong in %s", async (path, wrong) => {
    const deviceId = `wrong-${wrong.length}-${path.length}`;
    const { status, body } = await call("GET", `${BASE}/${deviceId}/${path}`);
    expect(status).toBe(400);
    expect(body.error.details?.map((detail) => detail.path).toSorted()).toEqual(wrong);
  });

  it("of another user's device is 404", async () => {
    const deviceId = await createDevice("reader-4");
    const token = await gateway.stranger();
    for (const path of ["chat-history/081234567890", "contacts", "daily-chat-list?date=2026-11-22"]) {
      const { status, body } = await call("GET", `${BASE}/${deviceId}/${path}`, { token });
      expect([status, body.error.code]).toEqual([404, "device_not_found"]);
    }
  });
});
