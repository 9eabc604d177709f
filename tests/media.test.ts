import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import sharp from "sharp";
import type { Stack } from "../local/stack.ts";
import { eventually } from "./support/eventually.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import type { Answer } from "./support/gateway.ts";
import { freshStack, temporaryDirectory } from "./support/stack.ts";

const PATH = "/devices/studio/send-media";
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const pdf = (bytes: number) => Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(bytes - 9)]);

/** In the place of ffmpeg, which not every machine has: writes what it read, after a mark. */
const CONVERTER = '#!/bin/sh\nfor to; do :; done\n{ printf OggS; cat "$5"; } > "$to"\n';

let stack: Stack;
let dataDir: string;
let gateway: Gateway;
let owner: Phone;
let friend: Phone;

beforeAll(async () => {
  dataDir = await temporaryDirectory();
  const programs = await temporaryDirectory();
  await writeFile(join(programs, "ffmpeg"), CONVERTER, { mode: 0o755 });
  stack = await freshStack({ dataDir, environment: { PATH: `${programs}:${process.env["PATH"]}` } });
  gateway = new Gateway(stack);
  owner = await Phone.create(stack, "6281230000001", "Studio");
  friend = await Phone.create(stack, "6281230000002", "Teman");
  await gateway.link("studio", owner);
}, 120_000);

/** What the friend's phone downloaded and decrypted of the message that was answered. */
async function receivedFile(answer: Answer) {
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return await friend.received(answer.body.data.messageId, 60_000);
}

const upload = (path: string, form: FormData, headers: Record<string, string> = {}) =>
  gateway.form("POST", path, form, headers);

function formOf(file: Uint8Array, name: string, fields: Record<string, string>): FormData {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  form.set("file", new Blob([file as Uint8Array<ArrayBuffer>]), name);
  return form;
}

describe("a file that comes in", { timeout: 120_000 }, () => {
  const eventOf = (id: string) =>
    eventually(`the event of ${id}`, 60_000, async () =>
      (await gateway.events("studio")).find(
        ({ type, data }) => type === "message.received" && data["messageId"] === id,
      ),
    );
  const outcomeOf = (id: string) =>
    eventually(`an outcome for the file of ${id}`, 60_000, async () => {
      const answer = await gateway.call("GET", `/devices/studio/media/${id}`);
      return answer.status !== 202 && answer;
    });

  it("is fetched beside its message and given by a link, also when it had gone and the phone brings it back", async () => {
    const image = await sharp({ create: { width: 64, height: 48, channels: 3, background: "#3c3" } })
      .jpeg()
      .toBuffer();
    const media = { mimetype: "image/jpeg", base64: image.toString("base64") };
    const id = await friend.write(owner.number, { media: { ...media, caption: "Ini fotonya" } });
    const url = `/api/whatsapp-multi-device/devices/studio/media/${id}`;
    expect((await eventOf(id)).data).toMatchObject({
      messageType: "image",
      caption: "Ini fotonya",
      media: { status: "pending", url, sha256: sha256(image) },
    });
    const ready = await outcomeOf(id);
    expect(ready.body.data).toMatchObject({ status: "ready", mimetype: "image/jpeg", sizeBytes: image.length });
    expect(ready.body.data.url).toMatch(`${stack.apiUrl}/objects/`);
    const file = await fetch(ready.body.data.url);
    expect(sha256(new Uint8Array(await file.arrayBuffer()))).toBe(sha256(image));
    expect(file.headers.get("content-disposition")).toBe("attachment");
    const moved = await gateway.follow(`/devices/studio/media/${id}?redirect=true`);
    expect(sha256(moved)).toBe(sha256(image));

    // Of every file but those that the phone brings back.
    const gone = await owner.fault("media-gone");
    const document = pdf(40_000);
    const late = { mimetype: "application/pdf", base64: document.toString("base64"), fileName: "Surat 'A' (1).pdf" };
    const lateId = await friend.write(owner.number, { media: late });
    await eventOf(lateId);
    const brought = await outcomeOf(lateId);
    expect(brought.status, JSON.stringify(brought.body)).toBe(200);
    const again = await fetch(brought.body.data.url);
    expect(again.headers.get("content-disposition")).toBe("attachment; filename*=UTF-8''Surat%20%27A%27%20%281%29.pdf");
    expect(sha256(new Uint8Array(await again.arrayBuffer()))).toBe(sha256(document));

    await owner.mend(gone.id);

    const text = await friend.text(owner, "tanpa berkas");
    await eventOf(text);
    const none = await gateway.call("GET", `/devices/studio/media/${text}`);
    expect([none.status, none.body.error?.code]).toEqual([404, "media_not_found"]);
  });
});

describe("a file that is sent", { timeout: 120_000 }, () => {
  it("arrives as it was, from a form, base64, a data URL, a URL or an upload", async () => {
    const to = friend.number;
    const image = await sharp({ create: { width: 640, height: 480, channels: 3, background: "#c33" } })
      .png()
      .toBuffer();
    const fields = { to, mediaType: "image", caption: "Halo dunia" };
    const byForm = await receivedFile(await upload(PATH, formOf(image, "foto.png", fields)));
    expect(byForm).toMatchObject({
      type: "image",
      caption: "Halo dunia",
      media: { sha256: sha256(image), size: image.length, mimetype: "image/png" },
      copies: 1,
    });

    const base64 = image.toString("base64");
    const bare = await receivedFile(await gateway.call("POST", PATH, { to, mediaType: "image", base64 }));
    expect(bare.media?.sha256).toBe(sha256(image));
    const data = `data:image/jpeg;base64,${base64}`;
    const asDocument = await gateway.call("POST", PATH, {
      to,
      mediaType: "document",
      base64: data,
      fileName: "Denah 1.png",
    });
    expect(await receivedFile(asDocument)).toMatchObject({
      type: "document",
      media: { sha256: sha256(image), mimetype: "image/png", fileName: "Denah 1.png" },
    });

    const document = pdf(300_000);
    const server = createServer((request, response) => {
      if (request.url === "/moved") response.writeHead(302, { location: "/berkas/daftar%20harga.pdf" }).end();
      else response.end(document);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    afterAll(() => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/moved`;
    const byUrl = await receivedFile(await gateway.call("POST", PATH, { to, mediaType: "document", url }));
    expect(byUrl.media).toMatchObject({
      sha256: sha256(document),
      mimetype: "application/pdf",
      fileName: "daftar harga.pdf",
    });

    const group = await owner.createGroup("Pameran", [friend]);
    const toGroup = await gateway.call("POST", `/devices/studio/groups/${group}/send-media`, {
      mediaType: "image",
      base64,
      caption: "Untuk semua",
    });
    expect(await receivedFile(toGroup)).toMatchObject({
      chat: group,
      caption: "Untuk semua",
      media: { sha256: sha256(image) },
    });
    const sticker = await sharp(image).webp().toBuffer();
    const asSticker = { to, mediaType: "sticker", base64: sticker.toString("base64") };
    expect(await receivedFile(await gateway.call("POST", PATH, asSticker))).toMatchObject({
      type: "sticker",
      media: { sha256: sha256(sticker) },
    });
    const opus = Buffer.concat([Buffer.from("OggS"), Buffer.alloc(24), Buffer.from("OpusHead"), randomBytes(2_000)]);
    const asVoice = { to, mediaType: "voice", base64: opus.toString("base64") };
    expect(await receivedFile(await gateway.call("POST", PATH, asVoice))).toMatchObject({
      type: "audio",
      media: { sha256: sha256(opus), mimetype: "audio/ogg; codecs=opus" },
    });
    const mp3 = Buffer.concat([
      Buffer.from("ID3\x04\0\0\0\0\0\0"),
      Buffer.from([0xff, 0xfb, 0x90, 0]),
      randomBytes(2_000),
    ]);
    const converted = { to, mediaType: "voice", base64: mp3.toString("base64") };
    expect(await receivedFile(await gateway.call("POST", PATH, converted))).toMatchObject({
      type: "audio",
      media: { sha256: sha256(Buffer.concat([Buffer.from("OggS"), mp3])), mimetype: "audio/ogg; codecs=opus" },
    });

    const big = pdf(7_000_000);
    const asked = { mimetype: "application/pdf", size: big.length, fileName: "katalog.pdf" };
    const prepared = await gateway.call("POST", "/devices/studio/media-uploads", asked);
    expect(prepared.status, JSON.stringify(prepared.body)).toBe(201);
    const { mediaId, uploadUrl, headers } = prepared.body.data;
    const early = await gateway.call("POST", PATH, { to, mediaType: "document", mediaId });
    expect([early.status, early.body.error?.code]).toEqual([409, "media_not_uploaded"]);
    const other = await fetch(uploadUrl, {
      method: "PUT",
      body: big.subarray(1),
      headers: { "content-type": asked.mimetype },
    });
    expect(other.status, "another size than was asked for").toBe(403);
    const put = await fetch(uploadUrl, { method: "PUT", body: big, headers });
    expect(put.status, await put.text()).toBe(200);
    for (const _again of [1, 2]) {
      const byUpload = await receivedFile(await gateway.call("POST", PATH, { to, mediaType: "document", mediaId }));
      expect(byUpload.media).toMatchObject({ sha256: sha256(big), size: big.length, fileName: "katalog.pdf" });
    }
  });
});

/** The most that a process has held since `measured` began, over what it held then, in MB. Linux only. */
async function measured(names: readonly string[], work: () => Promise<void>): Promise<Record<string, number>> {
  const pids = stack.processes().filter(({ name }) => names.includes(name));
  const megabytes = async (pid: number, field: string) => {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1024;
  };
  // 5 sets the peak back to what there is now (proc(5)).
  for (const { pid } of pids) await writeFile(`/proc/${pid}/clear_refs`, "5");
  const before = await Promise.all(pids.map(({ pid }) => megabytes(pid, "VmRSS")));
  await work();
  const peaks = await Promise.all(pids.map(({ pid }) => megabytes(pid, "VmHWM")));
  return Object.fromEntries(
    pids.map(({ name }, index) => [name, Math.round((peaks[index] ?? 0) - (before[index] ?? 0))]),
  );
}

describe("a large file", { timeout: 180_000 }, () => {
  it("of 16 MB goes from a form to a phone and from a phone to a link, and is never in memory as a whole", async () => {
    const bytes = pdf(16 * 1024 * 1024);
    const fields = { to: friend.number, mediaType: "document" };
    const extra = await measured(["api", "socket-host-1"], async () => {
      const sent = await upload(PATH, formOf(bytes, "besar.pdf", fields));
      expect((await receivedFile(sent)).media).toMatchObject({ sha256: sha256(bytes), size: bytes.length });
      const id = await friend.write(owner.number, {
        media: { mimetype: "application/pdf", base64: bytes.toString("base64"), fileName: "besar.pdf" },
      });
      const ready = await eventually("the file is ready", 60_000, async () => {
        const answer = await gateway.call("GET", `/devices/studio/media/${id}`);
        return answer.status === 200 && answer.body.data;
      });
      expect(sha256(await gateway.follow(`/devices/studio/media/${id}?redirect=true`))).toBe(sha256(bytes));
      expect(ready.sizeBytes).toBe(bytes.length);
    });
    expect((extra["api"] ?? 99) + (extra["socket-host-1"] ?? 99)).toBeLessThan(60);

    const tooLarge = await upload(PATH, formOf(Buffer.concat([bytes, Buffer.alloc(1)]), "besar.pdf", fields));
    expect([tooLarge.status, tooLarge.body.error?.code]).toEqual([413, "payload_too_large"]);
    expect(tooLarge.body.error?.details?.[0]?.message).toContain("media-uploads");
  });

  it("is uploaded to WhatsApp once, however many it is sent to", async () => {
    const image = await sharp(randomBytes(1_200 * 1_200 * 3), { raw: { width: 1_200, height: 1_200, channels: 3 } })
      .png()
      .toBuffer();
    const folder = join(dataDir, "simulator", "media");
    const before = (await readdir(folder)).length;
    const people = await Promise.all(
      Array.from({ length: 12 }, (_, index) => Phone.create(stack, `62812399${String(index).padStart(5, "0")}`)),
    );
    const sent = await Promise.all(
      people.map((person) =>
        upload(PATH, formOf(image, "poster.png", { to: person.number, mediaType: "image" }), {
          "idempotency-key": `poster-${person.number}`,
        }),
      ),
    );
    for (const [index, person] of people.entries()) {
      const answer = sent[index];
      expect(answer?.status, JSON.stringify(answer?.body)).toBe(200);
      const message = await person.received(answer?.body.data.messageId, 60_000);
      expect(message).toMatchObject({ copies: 1, media: { sha256: sha256(image) } });
    }
    expect((await readdir(folder)).length - before).toBe(1);
  });
});

it("a wiped device leaves no file behind", { timeout: 120_000 }, async () => {
  const media = { mimetype: "application/pdf", base64: pdf(2_000).toString("base64") };
  const id = await friend.write(owner.number, { media });
  const path = `/devices/studio/media/${id}`;
  const { url } = await eventually("the file is ready", 60_000, async () => {
    const answer = await gateway.call("GET", path);
    return answer.status === 200 && answer.body.data;
  });
  expect((await fetch(url)).status).toBe(200);
  await gateway.call("POST", "/devices/studio/cancel-and-wipe");
  await eventually("it is gone", 60_000, async () => (await fetch(url)).status === 404);
  expect((await gateway.call("GET", path)).status).toBe(404);
});
