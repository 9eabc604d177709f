import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { originalClient } from "./original-client.ts";
import { Phone } from "./support/gateway.ts";
import { freshStack } from "./support/stack.ts";

const IMAGE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const PDF = Buffer.from("%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");
const NOBODY = "6281199999999";
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** Where the client's links lead to. */
async function fileServer(): Promise<string> {
  const server = createServer((request, response) => {
    const isImage = request.url === "/a.png";
    response.setHeader("content-type", isImage ? "image/png" : "application/pdf");
    response.end(isImage ? IMAGE : PDF);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("a client of the original service runs its whole flow with another base URL and a token", async () => {
  const stack = await freshStack();
  const owner = await Phone.create(stack, "6281100000081", "Toko");
  const second = await Phone.create(stack, "6281100000082");
  const friend = await Phone.create(stack, "6281100000083", "Teman");
  const other = await Phone.create(stack, "6281100000084");
  const files = await fileServer();
  const answers = await originalClient({
    baseUrl: stack.apiUrl,
    token: stack.token,
    phone: owner.number,
    secondPhone: second.number,
    friend: friend.number,
    other: other.number,
    nobody: NOBODY,
    imageUrl: `${files}/a.png`,
    pdfUrl: `${files}/a.pdf`,
    image: IMAGE,
    scanQr: async (qr) => {
      await owner.scan(qr);
    },
    enterCode: async (code) => {
      await second.enterCode(code);
    },
    friendWrites: async (text) => {
      await friend.text(owner, text);
    },
  });

  // States and refusals, as its README names them.
  const { wrongDeviceId, noQr, tooLong, alreadyPaired, notConnected } = answers;
  expect({ wrongDeviceId, noQr, tooLong, alreadyPaired, notConnected }).toEqual({
    wrongDeviceId: 400,
    noQr: 404,
    tooLong: 400,
    alreadyPaired: 409,
    notConnected: 409,
  });
  expect(answers["created"]).toMatchObject({ deviceId: "device-001", deviceName: "Device Utama", status: "created" });
  expect(answers["status"]).toMatchObject({ isConnected: true, phoneNumber: owner.number });
  expect(answers["qrSvg"]).toMatch(/^<svg/u);
  expect(answers["qrPng"].qrImage).toMatch(/^data:image\/png;base64,/u);
  expect(answers["connectedDevices"]).toMatchObject({ total: 1, devices: [{ deviceId: "device-001" }] });
  expect(answers["wiped"]).toMatchObject({ status: "cancelled" });
  expect(answers["devicesLeft"].devices).toEqual([]);

  // What arrived on the phones is what the answers say.
  const bulks = ["bulkText", "bulkMedia", "groupBulk", "groupMediaBulk"].map((name) => [
    answers[name].total,
    answers[name].successCount,
    answers[name].errorCount,
  ]);
  expect(bulks).toEqual([
    [3, 2, 1],
    [2, 2, 0],
    [2, 2, 0],
    [2, 2, 0],
  ]);
  const [first, nobody, third] = answers["bulkText"].results;
  expect(nobody).toMatchObject({ to: `${NOBODY}@s.whatsapp.net`, status: "error", error: expect.any(String) });
  expect(await friend.received(first.messageId)).toMatchObject({ text: "Pesan 1", copies: 1 });
  expect(await other.received(third.messageId)).toMatchObject({ text: "Pesan 3", copies: 1 });
  expect(await friend.received(answers["text"].messageId)).toMatchObject({ text: "Halo", copies: 1 });
  for (const name of ["mediaFile", "mediaBase64", "groupMedia"]) {
    expect(await friend.received(answers[name].messageId)).toMatchObject({ media: { sha256: sha256(IMAGE) } });
  }
  expect(await friend.received(answers["mediaUrl"].messageId)).toMatchObject({
    caption: "Dari URL",
    media: { mimetype: "application/pdf", sha256: sha256(PDF) },
  });
  expect(await friend.received(answers["mention"].messageId)).toMatchObject({
    text: `Halo @${friend.number} dan @${other.number}`,
    mentions: [friend.number, other.number],
  });
  expect(answers["kicked"].participants).toMatchObject([{ status: 200 }]);

  // Jobs.
  expect(answers["textJob"]).toMatchObject({
    status: "completed",
    progress: { total: 3, currentIndex: 3, successCount: 2, errorCount: 1 },
  });
  for (const name of ["mediaJob", "groupMediaJob"]) {
    expect(answers[name]).toMatchObject({ status: "completed", progress: { successCount: 2, errorCount: 0 } });
  }
  expect(answers["cancelledJob"].status).toBe("cancelled");
  expect(answers["scheduled"]).toMatchObject({ scheduledMessageId: expect.any(String), timezone: "Asia/Jakarta" });

  // What was kept: the number was allowed before the first message.
  const texts = JSON.stringify(answers["conversation"]);
  for (const text of ["Halo", "Pesan 1", "Halo juga"]) expect(texts).toContain(text);
  expect(answers["details"].pagination.total).toBeGreaterThan(5);
  expect(answers["allowedNumbers"]).toBeDefined();
  expect(answers["dailyList"].summary.totalMessages).toBeGreaterThan(0);
}, 180_000);
