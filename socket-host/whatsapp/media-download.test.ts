import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getMediaKeys, proto } from "@whiskeysockets/baileys";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Scratch } from "../../shared/scratch.ts";
import { attachedFile, download } from "./media-download.ts";

const MEDIA_KEY = randomBytes(32);
const PLAIN = randomBytes(100_000);
const SHA256 = createHash("sha256").update(PLAIN).digest();
const MAX_BYTES = 1_000_000;

type Place = { directPath?: string; url?: string };
const message = (place: Place, more: object = {}) =>
  Buffer.from(
    proto.Message.encode({ documentMessage: { mediaKey: MEDIA_KEY, fileSha256: SHA256, ...place, ...more } }).finish(),
  );
const addressOf = (place: Place, origin?: string) => attachedFile(message(place), origin)?.address.href;

describe("where a file is, by the word of its sender,", () => {
  const path = "/v/t62.7119-24/1?ccb=11";
  test.each<[string, Place, string | undefined]>([
    ["a path", { directPath: path }, `https://mmg.whatsapp.net${path}`],
    [
      "a path on another media server of WhatsApp",
      { directPath: path, url: "https://media-cgk1-1.cdn.whatsapp.net/x" },
      `https://media-cgk1-1.cdn.whatsapp.net${path}`,
    ],
    ["a URL only", { url: `https://mmg.whatsapp.net${path}` }, `https://mmg.whatsapp.net${path}`],
  ])("%s", (_what, place, address) => {
    expect(addressOf(place)).toBe(address);
  });

  test.each<Place>([
    { directPath: path, url: "https://169.254.169.254/latest" },
    { directPath: path, url: "https://whatsapp.net.example.com/" },
    { directPath: path, url: "https://user@example.com/" },
    { directPath: path, url: "https://evilwhatsapp.net/" },
    { directPath: path, url: "https://mmg.whatsapp.net:22/" },
  ])("is never another server: %j", (place) => {
    expect(addressOf(place)).toBe(`https://mmg.whatsapp.net${path}`);
  });

  test.each<Place>([
    { directPath: "//169.254.169.254/latest" },
    { directPath: "/\\169.254.169.254/latest" },
    { directPath: "@169.254.169.254/" },
    { directPath: ".example.com/" },
    { directPath: ":22/" },
    { directPath: "http://169.254.169.254/" },
    { url: "file:///etc/passwd\\" },
    {},
  ])("leads nowhere else: %j", (place) => {
    const address = addressOf(place);
    expect(address === undefined || new URL(address).origin === "https://mmg.whatsapp.net", address).toBe(true);
    const inSimulator = addressOf(place, "http://127.0.0.1:4010");
    expect(inSimulator === undefined || new URL(inSimulator).origin === "http://127.0.0.1:4010").toBe(true);
  });
});

describe("a download", () => {
  let sealed: Buffer;
  let answer: { status: number; body: Buffer };
  const server = createServer((_request, response) => {
    response.writeHead(answer.status).end(answer.body);
  });
  let origin: string;
  beforeAll(async () => {
    const { cipherKey, iv, macKey } = await getMediaKeys(MEDIA_KEY, "document");
    const cipher = createCipheriv("aes-256-cbc", cipherKey, iv);
    const body = Buffer.concat([cipher.update(PLAIN), cipher.final()]);
    const mac = createHmac("sha256", macKey ?? "")
      .update(iv)
      .update(body)
      .digest()
      .subarray(0, 10);
    sealed = Buffer.concat([body, mac]);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    answer = { status: 200, body: sealed };
  });

  const scratch = new Scratch();
  afterAll(() => scratch.dispose());
  const fetchIt = async (more: object = {}, maxBytes = MAX_BYTES) => {
    const file = attachedFile(message({ directPath: "/v/1" }, more), origin);
    if (!file) throw new Error("no file");
    return await download(file, scratch, maxBytes, new AbortController().signal);
  };

  test("gives what was encrypted", async () => {
    const got = await fetchIt();
    expect(got).toMatchObject({ outcome: "done", file: { sizeBytes: PLAIN.length, sha256: SHA256.toString("hex") } });
  });

  test.each([403, 404, 410])("of a file that the server has no more (%i) says so", async (status) => {
    answer = { status, body: Buffer.alloc(0) };
    expect(await fetchIt()).toEqual({ outcome: "gone" });
  });

  test("of what was changed, cut, or is another file is refused", async () => {
    const changed = Buffer.from(sealed);
    changed[50] = (changed[50] ?? 0) ^ 1;
    for (const body of [changed, sealed.subarray(0, -1), sealed.subarray(0, 5), Buffer.alloc(0)]) {
      answer = { status: 200, body };
      expect(await fetchIt()).toEqual({ outcome: "damaged" });
    }
    answer = { status: 200, body: sealed };
    expect(await fetchIt({ fileSha256: randomBytes(32) })).toEqual({ outcome: "damaged" });
  });

  test("ends where it becomes too large", async () => {
    expect(await fetchIt({}, PLAIN.length - 1)).toEqual({ outcome: "too_large" });
  });

  test("of a server that fails, sends elsewhere, or is away can be tried again", async () => {
    for (const status of [500, 302]) {
      answer = { status, body: Buffer.alloc(0) };
      expect(await fetchIt()).toEqual({ outcome: "unreachable" });
    }
    const away = attachedFile(message({ directPath: "/v/1" }), "http://127.0.0.1:1");
    if (!away) throw new Error("no file");
    expect(await download(away, scratch, MAX_BYTES, new AbortController().signal)).toEqual({ outcome: "unreachable" });
  });
});
