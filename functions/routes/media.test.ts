import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openGuardedFetch } from "../../shared/guarded-fetch.ts";
import * as receivedMedia from "../../shared/db/received-media.ts";
import type { DeviceId } from "../../shared/ids.ts";
import { startGateway } from "../testing/gateway.ts";
import { startHost } from "../testing/host.ts";
import type { HostDouble } from "../testing/host.ts";

// Files take their time on a busy machine; nothing here waits for the end of it.
const gateway = await startGateway({ SYNC_WAIT_MS: "30000" });
const { call, createDevice, database, services } = gateway;
const PATH = "/api/whatsapp-multi-device/devices/open/send-media";
const UPLOADS = "/api/whatsapp-multi-device/devices/open/media-uploads";
const PDF = Buffer.from("%PDF-1.7\nisi");
const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"), Buffer.alloc(100)]);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const document = { to: "081234567890", mediaType: "document", base64: PDF.toString("base64") };

const payloads: unknown[] = [];
let host: HostDouble;
const open = await createDevice("open");

beforeAll(async () => {
  host = await startHost(database, gateway.queues, async ({ payload }) => {
    payloads.push(payload);
    return { state: "accepted", result: {} };
  });
  await host.setStatus(open, { status: "connected", phoneNumber: "628111222333", desired: "connected" });
});
afterAll(() => host.stop());

const send = (body: object, headers: Record<string, string> = {}, changed: Parameters<typeof call>[3] = {}) =>
  call("POST", PATH, { body, headers }, changed);
const codeOf = ({ status, body }: Awaited<ReturnType<typeof call>>) => [status, body.error?.code];

describe("a file", () => {
  test("is stored under its hash, and the host is told what its content is", async () => {
    const answer = await send({ ...document, fileName: "a.pdf", mimetype: "image/png", caption: "Ini" });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const media = { sha256: sha256(PDF), mimetype: "application/pdf", sizeBytes: PDF.length };
    expect(payloads.at(-1)).toEqual({
      kind: "send-media",
      to: "6281234567890@s.whatsapp.net",
      mediaType: "document",
      media,
      caption: "Ini",
      fileName: "a.pdf",
    });
    const object = await services.media.get(`media/${media.sha256}`);
    expect(object?.body).toEqual(PDF);
  });

  test("that is of a type that is not taken, or does not fit, is refused by its content", async () => {
    const exe = Buffer.concat([Buffer.from("MZ"), Buffer.alloc(200)]).toString("base64");
    expect(codeOf(await send({ ...document, base64: exe, mimetype: "application/pdf" }))).toEqual([
      415,
      "media_type_not_allowed",
    ]);
    expect(codeOf(await send({ ...document, mediaType: "image" }))).toEqual([422, "media_type_mismatch"]);
    expect(codeOf(await send({ ...document, mediaType: "voice", base64: PNG.toString("base64") }))).toEqual([
      422,
      "media_type_mismatch",
    ]);
  });

  test("must be there once, and be base64", async () => {
    const { base64: _left, ...without } = document;
    for (const body of [without, { ...document, url: "https://example.com/a.pdf" }, { ...document, base64: "%%%" }])
      expect(codeOf(await send(body))).toEqual([400, "validation_failed"]);
  });

  test("that a request cannot carry is refused with what to do instead", async () => {
    const large = await call("POST", PATH, {
      body: { ...document, base64: "A".repeat(9_000_001) },
      headers: { "accept-language": "en" },
    });
    expect(codeOf(large)).toEqual([413, "payload_too_large"]);
    expect(large.body.error.details?.[0]?.message).toContain("media-uploads");
    const announced = { mimetype: "application/pdf", size: 16 * 1024 * 1024 + 1 };
    expect(codeOf(await call("POST", UPLOADS, { body: announced }))).toEqual([413, "payload_too_large"]);
  });

  test("is sent once for an Idempotency-Key, and is not even looked at again", async () => {
    const headers = { "idempotency-key": "berkas-1" };
    const first = await send(document, headers);
    const replay = await send(document, headers, {
      files: { ...services.files, put: () => Promise.reject(new Error("stored again")) },
    });
    expect(replay.body.data).toEqual(first.body.data);
    expect(replay.headers.get("idempotency-replayed")).toBe("true");
    const other = { ...document, base64: Buffer.from("%PDF-1.7\nlain").toString("base64") };
    expect(codeOf(await send(other, headers))).toEqual([409, "idempotency_mismatch"]);
  });
});

describe("an upload", () => {
  test("is prepared once for an Idempotency-Key, and is for its user only", async () => {
    const body = { mimetype: "application/pdf", size: PDF.length };
    const headers = { "idempotency-key": "unggah-1" };
    const [first, again] = [
      await call("POST", UPLOADS, { body, headers }),
      await call("POST", UPLOADS, { body, headers }),
    ];
    expect(again.body.data["mediaId"]).toBe(first.body.data["mediaId"]);
    expect(codeOf(await call("POST", UPLOADS, { body: { ...body, size: 1 }, headers }))).toEqual([
      409,
      "idempotency_mismatch",
    ]);
    const { base64: _left, ...rest } = document;
    const { mediaId } = first.body.data;
    expect(codeOf(await send({ ...rest, mediaId }))).toEqual([409, "media_not_uploaded"]);
    const token = await gateway.stranger();
    await call("POST", "/api/whatsapp-multi-device/devices", { body: { deviceId: "theirs" }, token });
    await host.setStatus("theirs" as DeviceId, {
      status: "connected",
      phoneNumber: "628111222444",
      desired: "connected",
    });
    const theirs = await call("POST", PATH.replace("open", "theirs"), { body: { ...rest, mediaId }, token });
    expect(codeOf(theirs)).toEqual([404, "media_not_found"]);
  });

  test("that several requests send for the first time at once is sent by each of them", async () => {
    const { data } = (await call("POST", UPLOADS, { body: { mimetype: "application/pdf", size: PDF.length } })).body;
    const put = await fetch(String(data["uploadUrl"]), {
      method: "PUT",
      body: PDF,
      headers: data["headers"] as Record<string, string>,
    });
    expect(put.status).toBe(200);
    const { base64: _left, ...rest } = document;
    const answers = await Promise.all(Array.from({ length: 5 }, () => send({ ...rest, mediaId: data["mediaId"] })));
    // On a busy machine the stand-in for a host may take longer than a request waits.
    for (const { status } of answers) expect([200, 202]).toContain(status);
    expect(await services.media.get(`uploads/${String(data["mediaId"])}`)).toBeUndefined();
  });

  test("of a type that is not taken is refused", async () => {
    const body = { mimetype: "text/html", size: 10 };
    expect(codeOf(await call("POST", UPLOADS, { body }))).toEqual([415, "media_type_not_allowed"]);
  });
});

/** The forms in which an inside address is asked for; shared/guarded-fetch.test.ts has each rule by itself. */
const INSIDE = `
  127.0.0.1 127.0.0.1. 127.1 127.0.1 127.8.9.10 2130706433 0x7f000001 0X7F.0.0.1 0x7f.1 017700000001 0177.0.0.01 0
  0.0.0.0 0x0 ①②⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1 %31%32%37.0.0.1 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1
  100.64.0.1 100.100.100.200 169.254.169.254 169.254.170.2 2852039166 0xa9fea9fe 168.63.129.16 192.0.0.192 192.0.2.1
  198.18.0.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 [::1] [0:0:0:0:0:0:0:1] [::] [::ffff:127.0.0.1]
  [::ffff:7f00:1] [::ffff:a9fe:a9fe] [::127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::7f00:1]
  [2002:7f00:1::] [2001:0:7f00:1::] [2001:db8::1] [fe80::1] [fec0::1] [fc00::1] [fd00:ec2::254] [ff02::1] [100::1]
  localhost LOCALHOST localhost. a.localhost inside.test nat64.test
`
  .trim()
  .split(/\s+/);
const OTHERS = [
  "file:///etc/passwd",
  "ftp://example.com/a",
  "gopher://example.com/",
  "data:text/plain,a",
  "http://user:pass@example.com/",
  "http://127.0.0.1@169.254.169.254/",
  "http://example.com:22/",
  "http://example.com:6379/",
  "//127.0.0.1/",
  "http://",
  "not a url",
];

test("no form of a URL leads inside, and each is refused with what is wrong", async () => {
  const names: Record<string, string> = { "inside.test": "10.1.2.3", "nat64.test": "64:ff9b::a9fe:a9fe" };
  const guardedFetch = openGuardedFetch([], async (name) => [{ address: names[name] ?? "127.0.0.1", family: 4 }]);
  const { base64: _left, ...rest } = document;
  try {
    for (const url of [...INSIDE.map((name) => `http://${name}/latest/meta-data/`), ...OTHERS]) {
      const answer = await send({ ...rest, url }, { "accept-language": "en" }, { guardedFetch });
      expect([url, ...codeOf(answer)]).toEqual([url, 400, "url_not_allowed"]);
      expect(answer.body.error.details?.[0]).toMatchObject({ path: "body.url" });
    }
    expect(INSIDE.length + OTHERS.length).toBeGreaterThanOrEqual(60);
  } finally {
    guardedFetch.close();
  }
});

describe("the file of a message that came in", () => {
  const ask = (messageId: string, token?: string) =>
    call("GET", `/api/whatsapp-multi-device/devices/open/media/${messageId}`, token ? { token } : {});

  test("is told of as far as the host has come, to whom the device belongs", async () => {
    const place = { deviceId: open, userId: gateway.userId };
    await receivedMedia.record(database.pool, place, ["A1", "B2", "C3", "x".repeat(500)]);
    const row = (messageId: string) => ({ ...place, messageId, epoch: 1_000 });
    await receivedMedia.finish(database, row("B2"), { state: "ready", sizeBytes: 5, mimetype: "image/png" });
    await receivedMedia.finish(database, row("C3"), { state: "failed", reason: "too_large" });
    expect((await ask("A1")).body.data).toEqual({ messageId: "A1", status: "pending" });
    expect((await ask("B2")).body.data).toMatchObject({ status: "ready", sizeBytes: 5 });
    expect(codeOf(await ask("C3"))).toEqual([410, "media_unavailable"]);
    expect(codeOf(await ask("D4"))).toEqual([404, "media_not_found"]);
    expect(codeOf(await ask("B2", await gateway.stranger()))).toEqual([404, "device_not_found"]);
  });

  test("is not changed by a host that has lost the device", async () => {
    const place = { deviceId: open, userId: gateway.userId };
    await receivedMedia.record(database.pool, place, ["E5"]);
    await receivedMedia.finish(database, { ...place, messageId: "E5", epoch: -1 }, { state: "failed", reason: "gone" });
    expect((await receivedMedia.get(database, place, "E5"))?.state).toBe("pending");
  });
});
