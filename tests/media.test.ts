import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import sharp from "sharp";
import type { Stack } from "../local/stack.ts";
import { Gateway, Phone } from "./support/gateway.ts";
import type { Answer } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

const PATH = "/devices/studio/send-media";
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const pdf = (bytes: number) => Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(bytes - 9)]);

let stack: Stack;
let gateway: Gateway;
let owner: Phone;
let friend: Phone;

beforeAll(async () => {
  stack = await freshStack();
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
