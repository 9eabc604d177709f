import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ALICE, BOB, World } from "../testing/world.ts";

const NOBODY = "19998887777";

let world: World;

beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.dispose());

describe("wrong input", () => {
  test.each([
    ["/phones", { phone: "no number" }, ["phone"]],
    ["/phones", { phone: 15550000001, name: "" }, ["phone", "name"]],
    ["/phones", { phone: ALICE, nickname: "Al" }, ["nickname"]],
    [`/phones/${ALICE}/scan`, {}, ["qr"]],
    [`/phones/${ALICE}/enter-code`, { code: "short" }, ["code"]],
    [`/phones/${ALICE}/unlink`, { device: "1" }, ["device"]],
    [`/phones/${ALICE}/messages`, { to: "x", text: "" }, ["to", "text"]],
    [`/phones/${ALICE}/messages`, { to: BOB }, ["exactly one of"]],
    [`/phones/${ALICE}/messages`, { to: BOB, text: "a", edit: { messageId: "1", text: "b" } }, ["exactly one of"]],
    [
      `/phones/${ALICE}/messages`,
      { to: BOB, media: { mimetype: "png", base64: "%" }, copies: 11, mentions: ["x"] },
      ["media.mimetype", "media.base64", "copies", "mentions.0"],
    ],
    [`/phones/${ALICE}/messages`, { to: BOB, media: { mimetype: "image/png", base64: "" } }, ["media.base64"]],
    [
      `/phones/${ALICE}/messages`,
      { to: BOB, delete: { messageId: "1" }, replyTo: "1", mentions: [BOB], viewOnce: true },
      ["replyTo", "mentions", "viewOnce"],
    ],
    [`/phones/${ALICE}/messages`, { to: BOB, poll: { name: "?", options: ["one"] } }, ["poll.options"]],
    [`/phones/${ALICE}/messages`, { to: BOB, location: { latitude: 91 } }, ["location.latitude", "location.longitude"]],
    [`/phones/${ALICE}/groups`, { subject: "", participants: ["x"] }, ["subject", "participants.0"]],
    [`/phones/${ALICE}/history`, { conversations: [{ with: BOB, messages: [{}] }] }, ["fromMe", "text", "timestamp"]],
    [`/phones/${ALICE}/receipts`, { chat: "x", ids: [], type: "seen" }, ["chat", "ids", "type"]],
    [
      "/faults",
      { match: { phone: "x", device: -1 }, fault: "nonsense", count: 0 },
      ["match.phone", "match.device", "fault", "count"],
    ],
    ["/faults", { match: { phone: ALICE }, fault: "refuse-connections" }, ["match"]],
    ["/faults", { match: {}, fault: "media-gone", code: 200 }, ["code"]],
    ["/clock", { advanceMs: 0 }, ["advanceMs"]],
  ])("at %s is answered with 400 and every wrong field: %o", async (path, body, fields) => {
    const answer = await world.post(path, body);
    expect([answer.status, answer.body.error.code]).toEqual([400, "invalid"]);
    for (const field of fields) expect(answer.body.error.message).toContain(field);
  });

  test("that is no JSON, or far too long, is refused", async () => {
    const { url } = world.simulator;
    const garbled = await fetch(`${url}/phones`, { method: "POST", body: "{" });
    expect([garbled.status, await garbled.json()]).toMatchObject([400, { error: { code: "invalid_json" } }]);
    const long = await fetch(`${url}/phones`, { method: "POST", body: "x".repeat(2_000_000) });
    expect([long.status, await long.json()]).toMatchObject([413, { error: { code: "too_large" } }]);
  });

  test("in settings and in a query is refused as well", async () => {
    expect((await world.put(`/phones/${ALICE}/settings`, { online: "no" })).status).toBe(400);
    expect((await world.get(`/phones/${ALICE}/inbox?wait=1000`)).status).toBe(400);
    expect((await world.get("/trace?since=yesterday")).status).toBe(400);
  });
});

describe("what is not there", () => {
  test.each([
    ["phone_unknown", "GET", `/phones/${NOBODY}`, undefined],
    ["phone_unknown", "POST", `/phones/${NOBODY}/scan`, { qr: "x" }],
    ["phone_unknown", "POST", `/phones/${ALICE}/messages`, { to: NOBODY, text: "hi" }],
    ["message_unknown", "POST", `/phones/${ALICE}/messages`, { to: BOB, text: "hi", replyTo: "NONE" }],
    ["message_unknown", "POST", `/phones/${ALICE}/messages`, { to: BOB, edit: { messageId: "NONE", text: "hi" } }],
    ["message_unknown", "POST", `/phones/${ALICE}/messages`, { to: BOB, vote: { messageId: "NONE", options: [] } }],
    ["group_unknown", "POST", `/phones/${ALICE}/messages`, { to: "120363000000000000@g.us", text: "hi" }],
    ["group_unknown", "GET", "/groups/120363000000000000", undefined],
    ["phone_unknown", "POST", `/phones/${ALICE}/groups`, { subject: "Us", participants: [NOBODY] }],
    ["phone_unknown", "POST", `/phones/${ALICE}/history`, { conversations: [{ with: NOBODY, messages: [] }] }],
    ["device_unknown", "POST", `/phones/${ALICE}/unlink`, { device: 7 }],
    ["fault_unknown", "DELETE", "/faults/999", undefined],
    ["not_found", "GET", "/nonsense", undefined],
  ])("is a 404 %s: %s %s", async (code, method, path, body) => {
    const answer = await fetch(world.simulator.url + path, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([404, code]);
  });
});

test("a phone can be created twice, with a plus or without, and renamed", async () => {
  const first = await world.post("/phones", { phone: "+15550000042", name: "Zoe" });
  const second = await world.post("/phones", { phone: "15550000042" });
  expect([first.status, second.status]).toEqual([201, 201]);
  expect(second.body).toEqual({
    phone: "15550000042",
    lid: first.body.lid,
    name: "Zoe",
    settings: { autoDelivered: true, autoRead: false, online: true, presence: "available" },
    profile: {
      about: "Simulated.",
      hasPicture: false,
      blocked: [],
      numberHidden: false,
      restriction: null,
      newChats: null,
    },
    devices: [],
  });
  expect((await world.post("/phones", { phone: "15550000042", name: "Zora" })).body.name).toBe("Zora");
  expect((await world.get("/phones/+15550000042")).body.name).toBe("Zora");
});

test("an inbox can be waited for, and answers empty when nothing comes", async () => {
  const carol = await world.person();
  const waiting = world.get(`/phones/${carol}/inbox?wait=10`);
  const id = await world.write(BOB, carol, "at last");
  expect((await waiting).body).toMatchObject([{ n: 1, id, text: "at last" }]);
  expect((await world.get(`/phones/${carol}/inbox?after=1&wait=0.05`)).body).toEqual([]);
});

test("pages from elsewhere are turned away, pages from this machine are not", async () => {
  const { url } = world.simulator;
  const foreign = await fetch(`${url}/phones`, { headers: { origin: "https://example.com" } });
  expect(foreign.status).toBe(403);
  const local = await fetch(`${url}/phones`, { headers: { origin: "http://localhost:3000" } });
  expect([local.status, local.headers.get("access-control-allow-origin")]).toEqual([200, "http://localhost:3000"]);
});
