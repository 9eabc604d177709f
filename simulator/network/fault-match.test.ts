import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";
import { child } from "../wire/node.ts";

let world: World;
/** Alice's linked device. */
let client: BaileysClient;
/** A group that Alice is in, and two that she is not in, or does not write to. */
let ours: string;
let theirs: string;
let quiet: string;

beforeAll(async () => {
  world = await World.start();
  client = await world.linked(ALICE);
  ours = await world.group(BOB, "Ours", [ALICE]);
  theirs = await world.group(BOB, "Theirs", [await world.person()]);
  quiet = await world.group(BOB, "Quiet", [ALICE]);
});
beforeEach(async () => {
  await world.delete("/faults");
  if (!client.isOpen) client = await world.back(client);
  client.closes.length = 0;
});
afterAll(() => world.dispose());

/** Orders a fault, does what may meet it, and says whether it has acted. */
async function acts(fault: string, match: object, act: () => Promise<unknown> = () => Promise.resolve()) {
  const { body } = await world.post("/faults", { match, fault, count: 1, delayMs: 1 });
  await act();
  const { body: left } = await world.get("/faults");
  await world.delete("/faults");
  return !(left as unknown as { id: string }[]).some(({ id }) => id === body.id);
}

const ends = () => until(() => client.closes.length > 0).then(() => true);
const picture = { image: Buffer.from("a picture"), jpegThumbnail: "" };

describe("a fault that is for a whole device fits its number, its device, and the groups that its owner is in", () => {
  const matches = () => ({
    fitting: [{ phone: ALICE }, { phone: ALICE, device: 1 }, { group: ours }, { group: ours, phone: ALICE }],
    others: [{ phone: BOB }, { phone: ALICE, device: 2 }, { group: theirs }, { group: theirs, phone: ALICE }],
  });

  test.each(["drop", "stream-error", "replaced"])("%s", async (fault) => {
    for (const match of matches().others) expect([match, await acts(fault, match)]).toEqual([match, false]);
    for (const match of matches().fitting) {
      expect([match, await acts(fault, match)]).toEqual([match, true]);
      await ends();
      client = await world.back(client);
    }
  });

  test("half-open", async () => {
    for (const match of matches().others) expect([match, await acts("half-open", match)]).toEqual([match, false]);
    for (const match of matches().fitting) expect([match, await acts("half-open", match)]).toEqual([match, true]);
    await client.socket.fetchBlocklist();
  });

  test("refuse-login", async () => {
    const login = async () => {
      client = await world.back(client);
    };
    for (const match of matches().others)
      expect([match, await acts("refuse-login", match, login)]).toEqual([match, false]);
    for (const match of matches().fitting) {
      expect([match, await acts("refuse-login", match, login)]).toEqual([match, true]);
      expect(client.closes).toEqual([503]);
    }
  });

  test("media-upload-error", async () => {
    const upload = () => client.send(`${BOB}@s.whatsapp.net`, picture).catch(() => "failed");
    for (const match of matches().others)
      expect([match, await acts("media-upload-error", match, upload)]).toEqual([match, false]);
    for (const match of matches().fitting)
      expect([match, await acts("media-upload-error", match, upload)]).toEqual([match, true]);
  });

  test("media-gone", async () => {
    const { auth } = await client.socket.refreshMediaConn(true);
    const { url } = world.simulator;
    const hash = createHash("sha256").update("a file").digest("base64url");
    const send = async () => {
      const stored = await fetch(`${url}/mms/image/${hash}?auth=${auth}`, { method: "POST", body: "a file" });
      const { direct_path: path } = (await stored.json()) as { direct_path: string };
      await (await fetch(url + path)).arrayBuffer();
    };
    for (const match of matches().others)
      expect([match, await acts("media-gone", match, send)]).toEqual([match, false]);
    for (const match of matches().fitting)
      expect([match, await acts("media-gone", match, send)]).toEqual([match, true]);
  });

  test("no-history", async () => {
    const key = { remoteJid: `${BOB}@s.whatsapp.net`, fromMe: false, id: "NONE" };
    const ask = async () => {
      await client.socket.fetchMessageHistory(10, key, 1_700_000_000);
      await until(async () => {
        const { body } = await world.get(`/trace?phone=${ALICE}`);
        const last = (body as unknown as { direction: string; stanza: { attrs: Record<string, string> } }[])
          .filter(({ stanza }) => stanza.attrs["category"] === "peer")
          .at(-1);
        const [fault] = (await world.get("/faults")).body as unknown as object[];
        return last?.direction === "out" || fault === undefined;
      });
    };
    for (const match of matches().others) expect([match, await acts("no-history", match, ask)]).toEqual([match, false]);
    for (const match of matches().fitting) expect([match, await acts("no-history", match, ask)]).toEqual([match, true]);
  });

  test("passkey-required, where the device is the phone that scans", async () => {
    const scan = async () => {
      const newcomer = world.client();
      await newcomer.connect();
      const { body } = await world.post(`/phones/${ALICE}/scan`, { qr: newcomer.qr });
      expect(body.error.code).toBe("passkey_required");
    };
    expect(await acts("passkey-required", { group: ours }, scan)).toBe(true);
    expect(await acts("passkey-required", { phone: ALICE, device: 0 }, scan)).toBe(true);
  });

  test("logout", async () => {
    const carol = await world.person();
    const group = await world.group(carol, "Alone", []);
    const theirDevice = await world.linked(carol);
    expect(await acts("logout", { group })).toBe(true);
    await until(() => theirDevice.closes.includes(401));
    expect(client.isOpen).toBe(true);
  });
});

describe("a fault that is about a message or a query fits the group that it is for", () => {
  const toGroup = (group: string) => () => client.send(group, { text: "to a group" });
  const arrives = async (group: string) => {
    const id = await toGroup(group)();
    await until(async () => (await world.inbox(BOB)).some((message) => message.id === id));
  };

  test.each(["no-ack", "ack-error", "slow"])("%s", async (fault) => {
    const sendAndSettle = (group: string) => async () => {
      await toGroup(group)();
      await client.socket.fetchBlocklist();
    };
    expect(await acts(fault, { group: ours }, sendAndSettle(quiet))).toBe(false);
    expect(await acts(fault, { group: ours }, sendAndSettle(ours))).toBe(true);
    expect(await acts(fault, { group: ours, phone: BOB }, sendAndSettle(ours))).toBe(false);
    expect(await acts(fault, { group: ours, phone: ALICE, device: 1 }, sendAndSettle(ours))).toBe(true);
    expect(await acts(fault, { group: ours }, () => client.sendText(BOB, "to a person"))).toBe(false);
  });

  test("corrupt-message, and it arrives nevertheless", async () => {
    expect(await acts("corrupt-message", { group: ours, phone: BOB }, () => arrives(quiet))).toBe(false);
    expect(await acts("corrupt-message", { group: ours, phone: BOB, device: 0 }, () => arrives(ours))).toBe(true);
  });

  test.each(["rate-overlimit", "slow-queries"])("%s", async (fault) => {
    const ask = (group: string) => () => client.socket.groupMetadata(group).catch(() => {});
    expect(await acts(fault, { group: ours }, ask(quiet))).toBe(false);
    expect(await acts(fault, { group: ours, device: 1 }, ask(ours))).toBe(true);
  });
});

test("slow-queries: answers come late, in whatever order; the connection lives", async () => {
  await world.post("/faults", { match: { phone: ALICE }, fault: "slow-queries", delayMs: 300, count: 1 });
  const startedAt = performance.now();
  const slow = client.socket.fetchBlocklist().then(() => performance.now() - startedAt);
  const quick = client.socket.query({ tag: "iq", attrs: { to: "@s.whatsapp.net", type: "get", xmlns: "abt" } });
  expect(child(await quick, "props")).toBeDefined();
  expect(await slow).toBeGreaterThanOrEqual(299);
});
