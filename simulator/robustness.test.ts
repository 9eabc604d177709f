import { once } from "node:events";
import type { BinaryNode } from "@whiskeysockets/baileys";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { BaileysClient } from "./testing/baileys-client.ts";
import { until } from "./testing/until.ts";
import { ALICE, BOB, World } from "./testing/world.ts";

let world: World;
let client: BaileysClient;

beforeAll(async () => {
  world = await World.start();
  client = await world.linked(ALICE);
});
afterAll(() => world.dispose());

function query(xmlns: string, content?: BinaryNode[]) {
  const attrs = { to: "@s.whatsapp.net", type: "get", xmlns };
  return client.socket.query(content ? { tag: "iq", attrs, content } : { tag: "iq", attrs });
}

test("bytes that make no sense end their connection and no other", async () => {
  const stranger = new WebSocket(world.simulator.wsUrl);
  await once(stranger, "open");
  stranger.send("GET / HTTP/1.1");
  await once(stranger, "close");
  expect((await world.stats()).broken).toMatchObject({ connections: 1 });
  const bob = await world.person();
  await client.sendText(bob, "unimpressed");
  await world.inbox(bob, 1);
});

const node = (tag: string, attrs: Record<string, string> = {}, content?: BinaryNode[]): BinaryNode => {
  return content ? { tag, attrs, content } : { tag, attrs };
};

test.each([
  node("message", { id: "1" }),
  node("message", { id: "1", to: `${BOB}@s.whatsapp.net` }, [
    node("participants", {}, [node("to", {}, [node("enc")])]),
  ]),
  node("receipt"),
  node("ack", { id: "1" }),
  node("iq", { id: "1", type: "get", xmlns: "encrypt" }, [node("key", {}, [node("user")])]),
  node("iq", { id: "1", type: "set", xmlns: "encrypt" }, [node("list", {}, [node("key")])]),
])("a stanza that makes no sense ends its connection: %j", async (stanza) => {
  await client.socket.sendNode(stanza);
  await until(() => client.closes.includes(428));
  client = await world.back(client);
  expect(client.isOpen).toBe(true);
});

test("one-time keys that run low are asked for, and none is given twice", async () => {
  const takeKey = async (): Promise<string> => {
    const answer = await query("encrypt", [node("key", {}, [node("user", { jid: client.jid })])]);
    const bundle: BinaryNode[] = answer.content[0].content[0].content;
    const [, value] = (bundle.find(({ tag }) => tag === "key")?.content ?? []) as BinaryNode[];
    return Buffer.from((value?.content as Uint8Array | undefined) ?? []).toString("hex");
  };
  const keysLeft = async () => Number((await query("encrypt", [node("count")])).content[0].attrs.value);
  const seen = new Set<string>();
  const initially = await keysLeft();
  for (let taken = 0; taken < initially - 4; taken++) seen.add(await takeKey());
  await until(async () => (await keysLeft()) === 9);
  for (let taken = 0; taken < 5; taken++) seen.add(await takeKey());
  expect(seen.size).toBe(initially + 1);
  await until(async () => (await keysLeft()) === 9);
});

test("every query is answered, unknown ones with an empty result", async () => {
  const { socket } = client;
  expect((await query("w:unheard-of")).attrs.type).toBe("result");
  expect((await query("w:p")).attrs.type).toBe("result");
  expect(await socket.fetchBlocklist()).toEqual([]);
  expect(await socket.fetchPrivacySettings(true)).toMatchObject({ readreceipts: "all", last: "all" });
});
