import { proto } from "@whiskeysockets/baileys";
import { expect, test } from "vitest";
import { slimMessage } from "./slim-message.ts";

test("a message is kept with its keys and without the pictures that only fill the time", () => {
  const jpegThumbnail = Buffer.alloc(9_000, 7);
  const quotedMessage = { imageMessage: { jpegThumbnail } };
  const imageMessage = {
    mediaKey: Buffer.alloc(32, 1),
    caption: "lihat",
    jpegThumbnail,
    contextInfo: { quotedMessage },
  };
  const viewOnceMessage = { message: { imageMessage } };
  const messageContextInfo = { messageSecret: Buffer.alloc(32, 2) };
  const slim = slimMessage(proto.Message.encode({ viewOnceMessage, messageContextInfo }).finish());
  expect(slim?.length).toBeLessThan(150);
  const message = proto.Message.decode(slim ?? Buffer.alloc(0));
  expect(message.viewOnceMessage?.message?.imageMessage).toMatchObject({
    mediaKey: imageMessage.mediaKey,
    caption: "lihat",
  });
  expect(message.messageContextInfo?.messageSecret).toEqual(messageContextInfo.messageSecret);
});

test("bytes that are no message are not kept", () => {
  expect(slimMessage(Buffer.from("bukan pesan"))).toBeUndefined();
});
