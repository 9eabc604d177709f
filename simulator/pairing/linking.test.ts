import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TraceEntry } from "../network/trace.ts";
import { BaileysClient } from "../testing/baileys-client.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";

let world: World;

beforeEach(async () => {
  world = await World.start();
});
afterEach(() => world.dispose());

describe("linking by QR code", () => {
  test("restarts the client with 515 and opens at its next login", async () => {
    const client = await world.linked(ALICE);
    expect(client.closes).toEqual([515]);
    expect(client.isOpen).toBe(true);
    expect(client.jid).toBe(`${ALICE}:1@s.whatsapp.net`);
    const { body } = await world.get(`/phones/${ALICE}`);
    expect(body.devices).toEqual([{ device: 1, platform: "CHROME on Ubuntu", connected: true }]);
    expect(client.auth.creds.me?.lid).toBe(`${body.lid}:1@lid`);
  });

  test("does not make the client wait for its history", async () => {
    const client = await world.linked(ALICE);
    await until(() => (client.auth.creds.accountSyncCounter ?? 0) > 0);
    expect(client.auth.creds.myAppStateKeyId).toBeDefined();
  });

  test("makes the device reachable before its first login", async () => {
    const client = world.client();
    await client.connect();
    await world.post(`/phones/${ALICE}/scan`, { qr: client.qr });
    const id = await world.write(BOB, ALICE, "welcome");
    await until(() => client.closes.includes(515));
    await client.connect();
    await until(() => client.texts().some((each) => each.id === id));
    expect(client.texts()).toMatchObject([{ text: "welcome", upsert: "append" }]);
  });

  test("is refused with 409 if nobody shows that code", async () => {
    const { status, body } = await world.post(`/phones/${ALICE}/scan`, { qr: "2@nobody,a,b,c,1" });
    expect([status, body.error.code]).toEqual([409, "qr_unknown"]);
  });

  test("is refused with 409 if the client that showed the code is gone", async () => {
    const client = world.client();
    await client.connect();
    await client.end();
    await until(async () => (await world.stats()).connections.now === 0);
    const { status, body } = await world.post(`/phones/${ALICE}/scan`, { qr: client.qr });
    expect([status, body.error.code]).toEqual([409, "qr_unknown"]);
  });

  test("is refused if the client does not accept the phone's signature", async () => {
    const client = world.client();
    await client.connect();
    const [ref, noise, identity] = client.qr?.split("#")[1]?.split(",") ?? [];
    const forged = [ref, noise, identity, Buffer.alloc(32).toString("base64"), "1"].join(",");
    const { status, body } = await world.post(`/phones/${ALICE}/scan`, { qr: forged });
    expect([status, body.error.code]).toEqual([409, "pairing_refused"]);
    expect((await world.phone(ALICE)).devices).toEqual([]);
  });

  test("offers six codes, one after the other", async () => {
    const client = world.client();
    await client.connect();
    const ref = { tag: "ref", attrs: {}, content: "66 bytes" };
    const offer = { tag: "pair-device", content: [ref, ref, ref, ref, ref, ref] };
    const [first] = (await world.get("/trace")).body as unknown as TraceEntry[];
    expect(first).toMatchObject({ direction: "out", stanza: { content: [offer] } });
  });
});

describe("a QR code", () => {
  const scan = async (phone: string, qr: string | undefined) => {
    const { status, body } = await world.post(`/phones/${phone}/scan`, { qr });
    return [status, body.error?.code];
  };

  test("expires after a minute, when the client shows the next one", async () => {
    const client = world.client();
    await client.connect();
    await world.post("/clock", { advanceMs: 60_000 });
    expect(await scan(ALICE, client.qr)).toEqual([409, "qr_expired"]);
  });

  test("is one of six; the second one holds for 20 s more", async () => {
    const client = world.client();
    const shown = new Set<string>();
    client.onConnect = (socket) => {
      socket.ev.on("connection.update", ({ qr }) => {
        if (qr) shown.add(qr);
      });
    };
    await client.connect(undefined, { qrTimeout: 20 });
    await until(() => client.closes.length > 0);
    expect([client.closes, shown.size]).toEqual([[408], 6]);
    const second = world.client();
    const codes: string[] = [];
    second.onConnect = (socket) => {
      socket.ev.on("connection.update", ({ qr }) => {
        if (qr) codes.push(qr);
      });
    };
    await second.connect(undefined, { qrTimeout: 1_000 });
    await until(() => codes.length === 2);
    await world.post("/clock", { advanceMs: 70_000 });
    expect(await scan(ALICE, codes[0])).toEqual([409, "qr_expired"]);
    expect(await scan(ALICE, codes[1])).toEqual([200, undefined]);
  });

  test("that nobody scans ends the connection some time after the last one", async () => {
    const client = world.client();
    await client.connect();
    await world.post("/clock", { advanceMs: 200_000 });
    await until(() => client.closes.length > 0);
    expect(client.closes).toEqual([428]);
    expect(await scan(ALICE, client.qr)).toEqual([409, "qr_unknown"]);
  });
});

describe("a phone", () => {
  test("links four devices, each with keys and messages of its own, and no fifth", async () => {
    const carol = await world.person();
    const clients: BaileysClient[] = [];
    for (let i = 0; i < 4; i++) clients.push(await world.linked(carol));
    expect(clients.map(({ jid }) => jid)).toEqual([1, 2, 3, 4].map((device) => `${carol}:${device}@s.whatsapp.net`));
    const id = await world.write(BOB, carol, "to all of you");
    for (const client of clients) await until(() => client.texts().some((each) => each.id === id));
    const fifth = world.client();
    await fifth.connect();
    const refused = await world.post(`/phones/${carol}/scan`, { qr: fifth.qr });
    expect([refused.status, refused.body.error.code]).toEqual([409, "too_many_devices"]);
    await world.post(`/phones/${carol}/unlink`, { device: 2 });
    const accepted = await world.post(`/phones/${carol}/scan`, { qr: fifth.qr });
    expect([accepted.status, accepted.body]).toEqual([200, { device: 5 }]);
  });

  test("whose account needs a passkey gives up, by QR code and by pairing code; the client is asked for it", async () => {
    await world.post("/faults", { match: { phone: ALICE }, fault: "passkey-required", count: 2 });
    const client = world.client();
    const asked: string[] = [];
    client.onConnect = (socket) => {
      socket.ws.on("CB:notification,type:passkey_prologue_request", ({ attrs }: { attrs: { type: string } }) => {
        asked.push(attrs.type);
      });
    };
    await client.connect(ALICE);
    const byQr = await world.post(`/phones/${ALICE}/scan`, { qr: client.qr });
    expect([byQr.status, byQr.body.error.code]).toEqual([409, "passkey_required"]);
    await until(() => client.pairingCode !== undefined);
    const byCode = await world.post(`/phones/${ALICE}/enter-code`, { code: client.pairingCode });
    expect([byCode.status, byCode.body.error.code]).toEqual([409, "passkey_required"]);
    await until(() => asked.length === 2);
    expect(client.closes).toEqual([]);
  });
});

describe("linking by pairing code", () => {
  test("works with the code that the client shows", async () => {
    const client = world.client();
    await client.connect(ALICE);
    await until(() => client.pairingCode !== undefined);
    const { status, body } = await world.post(`/phones/${ALICE}/enter-code`, { code: client.pairingCode });
    expect([status, body]).toEqual([200, { device: 1 }]);
    await until(() => client.closes.includes(515));
    await client.connect();
    expect(client.isOpen).toBe(true);
    await client.sendText(BOB, "linked by code");
    expect(await world.inbox(BOB, 1)).toMatchObject([{ text: "linked by code" }]);
  });

  test("is refused with a wrong code, and with one that nobody waits for", async () => {
    const client = world.client();
    await client.connect(ALICE);
    await until(() => client.pairingCode !== undefined);
    const wrong = await world.post(`/phones/${ALICE}/enter-code`, { code: "WRNG-C0DE" });
    expect([wrong.status, wrong.body.error.code]).toEqual([409, "pairing_refused"]);
    const unknown = await world.post(`/phones/${BOB}/enter-code`, { code: "WRNG-C0DE" });
    expect([unknown.status, unknown.body.error.code]).toEqual([409, "code_unknown"]);
  });
});

test("a pairing code expires", async () => {
  const client = world.client();
  await client.connect(ALICE);
  await until(() => client.pairingCode !== undefined);
  await world.post("/clock", { advanceMs: 160_000 });
  const { status, body } = await world.post(`/phones/${ALICE}/enter-code`, { code: client.pairingCode });
  expect([status, body.error.code]).toEqual([409, "code_expired"]);
});

test("a client that is too old is told so before it can be linked", async () => {
  await world.post("/faults", { match: {}, fault: "refuse-login", code: 405, count: 1 });
  const client = world.client();
  await client.connect();
  expect([client.closes, client.qr]).toEqual([[405], undefined]);
});

describe("the end of a link", () => {
  test("comes as 401 when the phone unlinks, and the device stays unknown", async () => {
    const client = await world.linked(ALICE);
    expect((await world.post(`/phones/${ALICE}/unlink`)).body).toEqual({ unlinked: [1] });
    await until(() => client.closes.includes(401));
    const again = world.client(client);
    await again.connect();
    expect(again.closes).toEqual([401]);
    expect((await world.phone(ALICE)).devices).toEqual([]);
  });

  test("is accepted from the client", async () => {
    const client = await world.linked(ALICE);
    await client.socket.logout();
    await until(async () => (await world.phone(ALICE)).devices.length === 0);
    const again = world.client(client);
    await again.connect();
    expect(again.closes).toEqual([401]);
  });

  test("is not a second login: that replaces the first connection with 440", async () => {
    const first = await world.linked(ALICE);
    const second = world.client(first);
    await second.connect();
    await until(() => first.closes.includes(440));
    expect(second.isOpen).toBe(true);
    const { body } = await world.get("/stats");
    expect(body.devices).toMatchObject([{ phone: ALICE, device: 1, connectionsNow: 1, connectionsEver: 2 }]);
  });
});

test("a login with somebody else's keys is refused with 401", async () => {
  const client = await world.linked(ALICE);
  const thief = new BaileysClient(world.simulator);
  thief.auth.creds.me = { id: client.jid };
  await thief.connect();
  expect(thief.closes).toEqual([401]);
  expect(client.closes).toEqual([515]);
});
