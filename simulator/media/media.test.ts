import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { downloadContentFromMessage, downloadMediaMessage, proto, type WAMessage } from "@whiskeysockets/baileys";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BaileysClient } from "../testing/baileys-client.ts";
import { mediaAgents } from "../testing/media-agents.ts";
import { until } from "../testing/until.ts";
import { ALICE, BOB, World } from "../testing/world.ts";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const MEGABYTE = 1024 * 1024;

let world: World;
let alice: BaileysClient;
let bob: BaileysClient;

beforeAll(async () => {
  world = await World.start();
  alice = await world.linked(ALICE);
  bob = await world.linked(BOB);
});
beforeEach(() => world.delete("/faults"));
afterAll(() => world.dispose());

function options() {
  const { dispatcher } = mediaAgents(Number(new URL(world.simulator.url).port));
  return { options: { dispatcher } as RequestInit };
}

/** Bob's client sends, Alice's receives. */
async function arrived(content: Parameters<BaileysClient["socket"]["sendMessage"]>[1]): Promise<WAMessage> {
  const sent = await bob.socket.sendMessage(`${ALICE}@s.whatsapp.net`, content);
  const id = sent?.key.id ?? "";
  await until(() => alice.received.some(({ key, message }) => key.id === id && message));
  const [message] = alice.received.filter(({ key }) => key.id === id);
  if (!message) throw new Error("nothing arrived");
  return message;
}

function bytesOf(message: WAMessage): Promise<Buffer> {
  return downloadMediaMessage(message, "buffer", options());
}

describe("what one client uploads, another downloads", () => {
  test.each([
    ["an image", { image: PNG, caption: "look", mimetype: "image/png", jpegThumbnail: "" }, PNG],
    ["a video", { video: Buffer.from("video"), jpegThumbnail: "" }, Buffer.from("video")],
    ["a voice note", { audio: Buffer.from("audio"), ptt: true, seconds: 1 }, Buffer.from("audio")],
    ["a sticker", { sticker: Buffer.from("sticker") }, Buffer.from("sticker")],
    [
      "a document",
      { document: Buffer.from("document"), mimetype: "text/plain", fileName: "a.txt" },
      Buffer.from("document"),
    ],
  ])("%s", async (_kind, content, bytes) => {
    const message = await arrived(content);
    expect(await bytesOf(message)).toEqual(bytes);
  });

  test("20 MB, without the simulator holding them in memory", async () => {
    const directory = await mkdtemp(join(tmpdir(), "simulator-test-"));
    const path = join(directory, "large");
    const block = randomBytes(MEGABYTE);
    await pipeline(Readable.from(Array.from({ length: 20 }, () => block)), createWriteStream(path));
    const message = await arrived({ document: { url: path }, mimetype: "application/octet-stream", fileName: "large" });
    const hash = createHash("sha256");
    const stream = await downloadMediaMessage(message, "stream", options());
    for await (const chunk of stream) hash.update(chunk as Buffer);
    const expected = createHash("sha256");
    for (let i = 0; i < 20; i++) expected.update(block);
    expect(hash.digest("hex")).toBe(expected.digest("hex"));
    await rm(directory, { recursive: true });
  });

  test("a part of a file", async () => {
    const bytes = randomBytes(5_000);
    const { message } = await arrived({ document: bytes, mimetype: "application/octet-stream", fileName: "parts" });
    const stream = await downloadContentFromMessage(message?.documentMessage ?? {}, "document", {
      ...options(),
      startByte: 1_000,
      endByte: 2_000,
    });
    const parts: Buffer[] = [];
    for await (const chunk of stream) parts.push(chunk as Buffer);
    expect(Buffer.concat(parts)).toEqual(bytes.subarray(1_000, 2_000));
  });
});

describe("a file that is gone", () => {
  test("is uploaded again by the phone when the client asks for it", async () => {
    await world.post("/faults", { match: { phone: BOB }, fault: "media-gone" });
    const message = await arrived({ image: PNG, jpegThumbnail: "" });
    await expect(bytesOf(message)).rejects.toMatchObject({ output: { statusCode: 410 } });
    const renewed = await alice.socket.updateMediaMessage(message);
    expect(await bytesOf(renewed)).toEqual(PNG);
  });

  test("cannot come back if the phone does not know the message", async () => {
    const message = await arrived({ image: PNG, jpegThumbnail: "" });
    const unknown = { ...message, key: { ...message.key, id: "UNKNOWN" } };
    await expect(alice.socket.updateMediaMessage(unknown)).rejects.toMatchObject({ output: { statusCode: 404 } });
  });

  test("cannot come back with another key", async () => {
    const message = await arrived({ image: PNG, jpegThumbnail: "" });
    const imageMessage = { ...message.message?.imageMessage, mediaKey: randomBytes(32) };
    const forged = { ...message, message: proto.Message.create({ imageMessage }) };
    await expect(alice.socket.updateMediaMessage(forged)).rejects.toMatchObject({ output: { statusCode: 412 } });
  });

  test("is gone for the matching sender alone", async () => {
    await world.post("/faults", { match: { phone: ALICE }, fault: "media-gone" });
    const message = await arrived({ image: PNG, jpegThumbnail: "" });
    expect(await bytesOf(message)).toEqual(PNG);
  });
});

test("an upload error fails the send, as often as ordered", async () => {
  await world.post("/faults", { match: { phone: BOB, device: 1 }, fault: "media-upload-error", count: 1 });
  await expect(arrived({ image: PNG, jpegThumbnail: "" })).rejects.toThrow("Media upload failed on all hosts");
  await arrived({ image: PNG, jpegThumbnail: "" });
});

describe("the media host refuses", () => {
  const post = async (path: string, body: Buffer | string) => {
    const response = await fetch(world.simulator.url + path, {
      method: "POST",
      body: new Uint8Array(Buffer.from(body)),
    });
    return response.status;
  };

  test("uploads of strangers, of other bytes than announced, and to nowhere", async () => {
    const { auth } = await bob.socket.refreshMediaConn(true);
    const hash = createHash("sha256").update("other").digest("base64url");
    expect(await post(`/mms/image/${hash}?auth=nobody`, "other")).toBe(401);
    expect(await post(`/mms/image/${hash}?auth=${auth}`, "bytes")).toBe(400);
    expect(await post(`/mms/image/${hash}?auth=${auth}`, "other")).toBe(200);
    expect(await post(`/mms/nowhere/${hash}?auth=${auth}`, "other")).toBe(404);
  });

  test("paths that lead elsewhere, unknown files, impossible ranges and other methods", async () => {
    const get = async (path: string, init: RequestInit = {}) => (await fetch(world.simulator.url + path, init)).status;
    expect(await get("/v/../../etc/passwd")).toBe(404);
    expect(await get(`/v/${"0".repeat(32)}`)).toBe(404);
    expect(await get("/v/%2e%2e%2findex.json")).toBe(404);
    expect(await get(`/v/${"0".repeat(32)}`, { method: "DELETE" })).toBe(405);
  });

  test("files of more than 100 MB, before and while they come", async () => {
    const { auth } = await bob.socket.refreshMediaConn(true);
    const path = `/mms/video/${"A".repeat(43)}?auth=${auth}`;
    const { port } = new URL(world.simulator.url);
    const status = await new Promise((resolve, reject) => {
      const upload = request({ port, path, method: "POST", headers: { "content-length": 101 * MEGABYTE } });
      upload.on("response", ({ statusCode }) => resolve(statusCode)).on("error", reject);
      upload.flushHeaders();
    });
    expect(status).toBe(413);
  });
});

test("a directory for files that lives as long as the simulator, and one that stays", async () => {
  const dataDir = await mkdtemp(join(tmpdir(), "simulator-test-"));
  const other = await World.start({ dataDir });
  const client = await other.linked(ALICE);
  const { auth } = await client.socket.refreshMediaConn(true);
  const hash = createHash("sha256").update("kept").digest("base64url");
  const stored = await fetch(`${other.simulator.url}/mms/image/${hash}?auth=${auth}`, { method: "POST", body: "kept" });
  const { direct_path: path } = (await stored.json()) as { direct_path: string };
  await other.dispose();
  const again = await World.start({ dataDir });
  expect(await (await fetch(again.simulator.url + path)).text()).toBe("kept");
  await again.post("/reset");
  expect((await fetch(again.simulator.url + path)).status).toBe(404);
  await until(async () => (await readdir(join(dataDir, "media"))).every((name) => name.endsWith(".json")));
  await again.dispose();
  expect((await stat(join(dataDir, "media"))).isDirectory()).toBe(true);
  await rm(dataDir, { recursive: true });
});
