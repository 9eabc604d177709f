import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startGateway } from "../testing/gateway.ts";
import { startHost } from "../testing/host.ts";
import type { Behaviour, HostDouble } from "../testing/host.ts";

const gateway = await startGateway();
const { call, createDevice, database } = gateway;
const BASE = "/api/whatsapp-multi-device/devices/club";
const GROUP = "120363012345678901@g.us";
const JID = "6281234567890@s.whatsapp.net";

let host: HostDouble;
let payload: unknown;
let behave: Behaviour;
const device = await createDevice("club");

beforeAll(async () => {
  host = await startHost(database, gateway.queues, (command, double) => {
    ({ payload } = command);
    return behave(command, double);
  });
  await host.setStatus(device, { status: "connected", phoneNumber: "628111222333", desired: "connected" });
});
afterAll(() => host.stop());
beforeEach(() => {
  payload = undefined;
  behave = async () => ({ state: "accepted", result: {} });
});

describe("a change of a group", () => {
  it.each([
    ["POST", "participants", { participants: ["081234567890", "+6281234567890"] }, "add"],
    ["DELETE", "participants/081234567890", undefined, "remove"],
    ["POST", "admins", { adminJid: JID }, "promote"],
    ["POST", "admins", { participants: [JID], adminJid: "081234567890" }, "promote"],
    ["DELETE", `admins/${encodeURIComponent(JID)}`, undefined, "demote"],
  ])("%s %s names each person once, by JID, and answers what became of them", async (method, path, body, action) => {
    const outcomes = { groupId: GROUP, participants: [{ jid: JID, status: 403, code: "not_allowed" }] };
    behave = async () => ({ state: "done", result: outcomes });
    const answer = await call(method, `${BASE}/groups/${GROUP}/${path}`, { body });
    expect(answer.status).toBe(200);
    expect(answer.body.data).toEqual({ deviceId: "club", ...outcomes });
    expect(payload).toEqual({ kind: "change-members", group: GROUP, action, participants: [JID] });
  });

  it.each([
    ["group_forbidden", 403],
    ["group_not_found", 404],
    ["outcome_unknown", 504],
  ])("that ends as %s is answered %i", async (errorCode, status) => {
    behave = async () => ({ state: "failed", errorCode });
    const answer = await call("POST", `${BASE}/groups/${GROUP}/participants`, { body: { participants: [JID] } });
    expect([answer.status, answer.body.error.code]).toEqual([status, errorCode]);
  });
});

describe("what is wrong is named, and reaches no host:", () => {
  it.each([
    ["groups", {}, ["body.participants", "body.subject"]],
    ["groups", { subject: " ", participants: [] }, ["body.participants", "body.subject"]],
    ["groups", { subject: "x".repeat(101), participants: [GROUP] }, ["body.participants.0", "body.subject"]],
    ["groups/6281234567890/participants", { participants: "6281234567890" }, ["body.participants", "params.groupId"]],
    [`groups/${GROUP}/admins`, {}, ["body.adminJid"]],
    ["send-group-message", { groupId: JID, message: "Halo", items: [] }, ["body.groupId", "body.items", "body.items"]],
    ["send-group-message", {}, ["body.groupId", "body.message"]],
    ["send-group-message", { items: [{ groupId: JID }] }, ["body.items.0.groupId", "body.items.0.message"]],
    [`groups/${GROUP}/mention-message`, { message: "", mentions: [] }, ["body.mentions", "body.message"]],
    [`groups/${GROUP}/mention-message`, { message: "{m2} {mention[1]}", mentions: [JID] }, ["body.message"]],
    [`groups/${GROUP}/mention-message`, { message: "{m1}".repeat(1000), mentions: [JID] }, ["body.message"]],
  ])("%s %j", async (path, body, wrong) => {
    const answer = await call("POST", `${BASE}/${path}`, { body });
    expect(answer.status).toBe(400);
    expect(answer.body.error.details?.map((detail) => detail.path).toSorted()).toEqual(wrong);
    expect(payload).toBeUndefined();
  });
});

it("a mention has its people in the text and beside it, each once", async () => {
  const body = { message: "Halo {m1}, {mention[1]}", mentions: ["081234567890", JID] };
  const answer = await call("POST", `${BASE}/groups/${GROUP}/mention-message`, { body });
  expect(answer.status).toBe(200);
  expect(payload).toEqual({
    kind: "send-text",
    to: GROUP,
    text: "Halo @6281234567890, @6281234567890",
    mentions: [JID],
  });
});
