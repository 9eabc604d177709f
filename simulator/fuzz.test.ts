import { once } from "node:events";
import { encodeBinaryNode, proto, type BinaryNode } from "@whiskeysockets/baileys";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { BaileysClient } from "./testing/baileys-client.ts";
import { until } from "./testing/until.ts";
import { ALICE, BOB, World } from "./testing/world.ts";

/** Nobody of the attacker's acquaintance: nothing that the attacker sends may become visible here. */
const CAROL = "15550000003";
const RUNS = 200;

let world: World;
/** The attacker's client. Whatever it says, it is only ever cut off. */
let mallory: BaileysClient;
let bob: BaileysClient;
let carol: BaileysClient;
let group: string;
/** Ids of what she sent herself, and of what she got before all this. */
const expectedByCarol = new Set<string>();

beforeAll(async () => {
  world = await World.start();
  await world.post("/phones", { phone: CAROL });
  mallory = await world.linked(ALICE);
  bob = await world.linked(BOB);
  carol = await world.linked(CAROL);
  const { body } = await world.post(`/phones/${BOB}/groups`, { subject: "Ours", participants: [CAROL] });
  group = body.id;
  await until(() => carol.received.some(({ key }) => key.remoteJid === group));
  expectedByCarol.add(await carol.sendText(BOB, "hello"));
  await until(() => bob.texts().length === 1);
  for (const { key } of carol.received) expectedByCarol.add(key.id ?? "");
});
beforeEach(() => mallory.closes.splice(0));
afterAll(() => world.dispose());

const tags = fc.constantFrom(
  ..."iq message receipt ack presence chatstate ib notification call success stream:error xmlstreamend".split(" "),
);
const parts = fc.constantFrom(
  ..."participants to enc device-identity retry registration keys list item key skey id value signature query user".split(
    " ",
  ),
  ..."usync contact devices collection patch sync picture privacy category status rotate digest count add remove".split(
    " ",
  ),
  ..."promote demote create participant subject description body delete leave group invite accept reject approve".split(
    " ",
  ),
  ..."participating announcement locked ephemeral member_add_mode membership_approval_mode group_join media_conn".split(
    " ",
  ),
  ..."encrypt enc_p enc_iv rmr item blocklist business_profile profile active remove-companion-device".split(" "),
);
const names = fc.constantFrom(
  ..."id to from type xmlns class participant recipient category edit jid t v code version name value action".split(
    " ",
  ),
  ..."target mediatype count mode context sid addressing_mode return_snapshot phash expiration reason".split(" "),
);
const jids = fc.constantFrom(
  `${ALICE}@s.whatsapp.net`,
  `${BOB}@s.whatsapp.net`,
  `${BOB}:1@s.whatsapp.net`,
  `${CAROL}:1@s.whatsapp.net`,
  "120363000000000000@g.us",
  "GROUP",
  "@g.us",
  "@s.whatsapp.net",
  "status@broadcast",
  "1@lid",
  "1:99999@lid",
  "19998887777@s.whatsapp.net",
);
const values = fc.oneof(
  jids,
  fc.constantFrom("get", "set", "result", "error", "retry", "server-error", "read", "read-self", "played", "peer"),
  fc.constantFrom("encrypt", "usync", "w:g2", "w:m", "w:biz", "privacy", "blocklist", "status", "w:mex", "abt"),
  fc.constantFrom("w:sync:app:state", "w:profile:picture", "disappearing_mode", "passive", "subscribe", "available"),
  fc.constantFrom("text", "media", "pkmsg", "msg", "skmsg", "__proto__", "constructor", "-1", "0", "NaN", "1e400"),
  fc.string({ maxLength: 40 }),
);
const attributes = fc.dictionary(names, values, { maxKeys: 8 });
const leaf = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc.string({ maxLength: 40 }),
  fc.constant(undefined),
  fc.constantFrom(proto.Message.encode({ conversation: "hi" }).finish(), proto.SyncdPatch.encode({}).finish()),
);
const { tree } = fc.letrec<{ tree: BinaryNode; content: BinaryNode["content"] }>((tie) => ({
  tree: fc.record({ tag: parts, attrs: attributes, content: tie("content") }) as fc.Arbitrary<BinaryNode>,
  content: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf as fc.Arbitrary<BinaryNode["content"]>,
    fc.array(tie("tree"), { maxLength: 4 }),
  ),
}));
const stanza = fc.record({ tag: tags, attrs: attributes, content: fc.array(tree, { maxLength: 3 }) });

test("no stanza, however strange, crashes the simulator or reaches those whom it is not for", async () => {
  const before = bob.received.length;
  const connectionsOfOthers = async () => {
    const { devices } = await world.stats();
    return devices.filter(({ phone }) => phone !== ALICE).map((each) => each.connectionsEver);
  };
  const connected = await connectionsOfOthers();
  await fc.assert(
    fc.asyncProperty(stanza, async ({ tag, attrs, content }) => {
      if (mallory.closes.length > 0 || !mallory.isOpen) await comeBack();
      if (attrs["xmlns"] === "md") return;
      const whole = JSON.parse(JSON.stringify(attrs).replaceAll('"GROUP"', JSON.stringify(group)));
      await mallory.socket.sendNode({ tag, attrs: whole, content }).catch(() => {});
      await dealtWith();
    }),
    { numRuns: RUNS, seed: 1 },
  );
  await until(async () => (await fetch(`${world.simulator.url}/stats`)).ok);
  const id = await carol.sendText(BOB, "still here");
  expectedByCarol.add(id);
  await until(() => bob.texts().some((each) => each.id === id));
  expect(await connectionsOfOthers()).toEqual(connected);
  expect(seenByCarol()).toEqual([]);
  const fromMallory = bob.received.slice(before).filter(({ key }) => key.id !== id);
  expect(fromMallory.every(({ message }) => !message)).toBe(true);
}, 60_000);

test("a message reaches nobody but the person whom it is to", async () => {
  const content = proto.Message.encode({ conversation: "leaked" }).finish();
  const copy = (jid: string) => ({
    tag: "to",
    attrs: { jid },
    content: [
      { tag: "plaintext", attrs: {}, content },
      { tag: "enc", attrs: { v: "2", type: "msg" }, content },
    ],
  });
  if (!mallory.isOpen) await comeBack();
  await mallory.socket.sendNode({
    tag: "message",
    attrs: { id: "LEAK", to: `${BOB}@s.whatsapp.net`, type: "text" },
    content: [{ tag: "participants", attrs: {}, content: [copy(`${CAROL}:1@s.whatsapp.net`)] }],
  });
  await mallory.socket.sendNode({
    tag: "message",
    attrs: { id: "PEER", to: `${CAROL}:1@s.whatsapp.net`, type: "text", category: "peer" },
    content: [{ tag: "enc", attrs: { v: "2", type: "msg" }, content }],
  });
  await mallory.socket.sendNode({
    tag: "message",
    attrs: { id: "GROUP", to: group, type: "text" },
    content: [{ tag: "enc", attrs: { v: "2", type: "skmsg" }, content }],
  });
  await until(() => mallory.acks.some(({ id }) => id === "GROUP"));
  const id = await bob.sendText(CAROL, "in order");
  await until(() => carol.texts().some((each) => each.id === id));
  expect(seenByCarol()).toEqual([id]);
  expect(mallory.acks.find((ack) => ack.id === "GROUP")?.error).toBeDefined();
});

test("no bytes instead of a handshake crash it, in whatever pieces they come", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 4 }),
      async (hasHeader, chunks) => {
        const stranger = new WebSocket(world.simulator.wsUrl);
        await once(stranger, "open");
        if (hasHeader) stranger.send(Buffer.from("57410603", "hex"));
        for (const chunk of chunks) stranger.send(chunk);
        stranger.terminate();
      },
    ),
    { numRuns: 60, seed: 1 },
  );
  expect((await world.get("/phones")).status).toBe(200);
});

test("no plaintext that is not a stanza crashes it, it only ends the connection", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.nat(),
      fc.boolean(),
      async (bytes, at, isMutant) => {
        if (mallory.closes.length > 0 || !mallory.isOpen) await comeBack();
        const valid = Buffer.from(encodeBinaryNode({ tag: "iq", attrs: { id: "1", type: "get", xmlns: "w:p" } }));
        if (isMutant) valid[at % valid.length] = bytes[0] ?? 0;
        await mallory.socket.sendRawMessage(isMutant ? valid : bytes).catch(() => {});
        await dealtWith();
      },
    ),
    { numRuns: 60, seed: 1 },
  );
  expect((await world.get("/phones")).status).toBe(200);
}, 60_000);

test("no control call, however strange, is answered with 500", async () => {
  const paths = fc.constantFrom(
    ..."/phones /faults /clock".split(" "),
    ..."scan enter-code unlink messages receipts history groups calls app-state"
      .split(" ")
      .map((call) => `/phones/${ALICE}/${call}`),
  );
  const keys = fc.constantFrom(
    ..."phone name qr code device to text media reaction edit delete replyTo chat ids type subject participants".split(
      " ",
    ),
    ..."conversations match fault count delayMs advanceMs messageId emoji mimetype base64".split(" "),
  );
  const body = fc.oneof(
    fc.jsonValue(),
    fc.dictionary(keys, fc.oneof(fc.jsonValue(), fc.constantFrom(ALICE, BOB, group))),
  );
  await fc.assert(
    fc.asyncProperty(paths, body, async (path, value) => {
      const { status } = await world.post(path, value);
      expect(status).toBeLessThan(500);
    }),
    { numRuns: 200, seed: 1 },
  );
});

function seenByCarol(): (string | null | undefined)[] {
  return carol.received.map(({ key }) => key.id).filter((id) => !expectedByCarol.has(id ?? ""));
}

/** Returns when the simulator has taken everything so far, or has cut the connection. */
async function dealtWith(): Promise<void> {
  const ping = { tag: "iq", attrs: { to: "@s.whatsapp.net", type: "get", xmlns: "w:p" } };
  await mallory.socket.query(ping).catch(() => {});
}

async function comeBack(): Promise<void> {
  mallory = await world.back(mallory);
  if (mallory.closes.includes(401)) mallory = await world.linked(ALICE);
}
