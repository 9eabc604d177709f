import { proto, type WACallEvent } from "@whiskeysockets/baileys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";

let world: World;
/** Two linked devices of Alice's. */
let alice: BaileysClient;
let desk: BaileysClient;
let calls: WACallEvent[];
let callsAtDesk: WACallEvent[];

beforeAll(async () => {
  world = await World.start();
  alice = await world.linked(ALICE);
  desk = await world.linked(ALICE);
  calls = collect(alice);
  callsAtDesk = collect(desk);
});
afterAll(() => world.dispose());

function collect(client: BaileysClient): WACallEvent[] {
  const events: WACallEvent[] = [];
  client.socket.ev.on("call", (news) => events.push(...news));
  return events;
}

async function ring(details: object = {}): Promise<string> {
  const { status, body } = await world.post(`/phones/${BOB}/calls`, { to: ALICE, ...details });
  expect(status).toBe(201);
  await event(calls, body.id, "offer");
  return body.id;
}

async function event(seen: WACallEvent[], id: string, status: string): Promise<WACallEvent> {
  const find = () => seen.find((each) => each.id === id && each.status === status);
  await until(() => find() !== undefined, `${status} of a call`);
  return find() as WACallEvent;
}

async function act(phone: string, id: string, action: string): Promise<number> {
  return (await world.post(`/phones/${phone}/calls/${id}`, { action })).status;
}

async function callOf(phone: string, id: string): Promise<object | undefined> {
  const { body } = await world.get(`/phones/${phone}/calls`);
  return (body as unknown as { id: string }[]).find((call) => call.id === id);
}

describe("a call", () => {
  test("rings on all devices, and says who calls", async () => {
    const id = await ring();
    expect(await event(calls, id, "offer")).toMatchObject({
      chatId: `${BOB}@s.whatsapp.net`,
      from: `${BOB}@s.whatsapp.net`,
      isVideo: false,
      isGroup: false,
      offline: false,
    });
    await event(callsAtDesk, id, "offer");
    expect(await callOf(ALICE, id)).toMatchObject({ from: BOB, to: ALICE, video: false, state: "ringing" });
    expect(await act(BOB, id, "hang-up")).toBe(200);
    await event(calls, id, "terminate");
    expect(await callOf(BOB, id)).toMatchObject({ state: "ended" });
  });

  test("can come by LID, with pictures, or for a group", async () => {
    const group = await world.group(BOB, "Callers", [ALICE]);
    const id = await ring({ addressing: "lid", video: true, group });
    const { lid } = await world.phone(BOB);
    expect(await event(calls, id, "offer")).toMatchObject({
      chatId: `${lid}@lid`,
      callerPn: `${BOB}@s.whatsapp.net`,
      isVideo: true,
      isGroup: true,
      groupJid: group,
    });
    await act(BOB, id, "hang-up");
  });

  test.each(["accept", "reject"])("stops to ring on the devices when the phone says %s", async (action) => {
    const id = await ring();
    expect(await act(ALICE, id, action)).toBe(200);
    await event(calls, id, "terminate");
    await event(callsAtDesk, id, "terminate");
    expect(await callOf(BOB, id)).toMatchObject({ state: `${action}ed`, answeredBy: 0 });
  });

  test("that a device rejects stops to ring on the other one", async () => {
    const id = await ring();
    await alice.socket.rejectCall(id, `${BOB}@s.whatsapp.net`);
    await event(callsAtDesk, id, "terminate");
    expect(await callOf(BOB, id)).toMatchObject({ state: "rejected", answeredBy: 1 });
  });

  test("that nobody takes is missed after a while, or when the caller's phone says so", async () => {
    const [first, second] = [await ring(), await ring({ video: true })];
    expect(await act(BOB, second, "miss")).toBe(200);
    await event(calls, second, "timeout");
    await world.post("/clock", { advanceMs: 45_000 });
    await event(calls, first, "timeout");
    expect(await callOf(ALICE, first)).toMatchObject({ state: "missed" });
    const { CALL_MISSED_VOICE } = proto.WebMessageInfo.StubType;
    await until(() =>
      alice.received.some(({ key, messageStubType: kind }) => key.id === first && kind === CALL_MISSED_VOICE),
    );
  });

  test("waits for a device that is away", async () => {
    const carol = await world.person();
    let client = await world.linked(carol);
    await client.end();
    await until(async () => !(await world.phone(carol)).devices[0]?.connected);
    const { body } = await world.post(`/phones/${BOB}/calls`, { to: carol });
    client = world.client(client);
    const seen: WACallEvent[] = [];
    client.onConnect = (socket) => socket.ev.on("call", (news) => seen.push(...news));
    await client.connect();
    expect(await event(seen, body.id, "offer")).toMatchObject({ offline: true });
    await world.settled(carol);
  });

  test("is nobody else's business, and over only once", async () => {
    const id = await ring();
    const carol = await world.person();
    expect(await act(carol, id, "accept")).toBe(404);
    expect(await act(BOB, id, "accept")).toBe(409);
    expect(await act(ALICE, id, "reject")).toBe(200);
    expect(await act(ALICE, id, "accept")).toBe(409);
    expect((await world.post(`/phones/${BOB}/calls`, { to: ALICE, group: "120363000000000@g.us" })).status).toBe(404);
    const group = await world.group(BOB, "Without Alice", [carol]);
    expect((await world.post(`/phones/${BOB}/calls`, { to: ALICE, group })).status).toBe(409);
  });

  test("of somebody who is blocked does not ring", async () => {
    const carol = await world.person();
    await world.put(`/phones/${ALICE}/settings`, { blocked: [carol] });
    const { body } = await world.post(`/phones/${carol}/calls`, { to: ALICE });
    const id = await ring();
    expect(calls.some((call) => call.id === body.id)).toBe(false);
    await act(BOB, id, "hang-up");
  });
});
