import "./quiet.ts";
import { generateWAMessageContent, proto } from "@whiskeysockets/baileys";
import type { AnyMessageContent } from "@whiskeysockets/baileys";
import type { MediaPayload, SendingPayload } from "../../shared/commands.ts";
import { withWords } from "./media-part.ts";
import { silentLogger } from "./silent-logger.ts";

/** The part of a message that is its file, uploaded; see `uploadPart`. */
export type PartOf = (message: MediaPayload) => Promise<Uint8Array>;

/** The content of a message as its bytes on WhatsApp. Not the same bytes twice: they are made once and kept. */
export async function encode(message: SendingPayload, partOf: PartOf): Promise<Buffer> {
  switch (message.kind) {
    case "send-text":
      return await encodeContent({ text: message.text, ...(message.mentions && { mentions: message.mentions }) });
    case "send-media":
      return withWords(await partOf(message), message);
  }
}

async function encodeContent(text: AnyMessageContent): Promise<Buffer> {
  const content = await generateWAMessageContent(text, { logger: silentLogger, upload: nothingToUpload });
  return Buffer.from(proto.Message.encode(content).finish());
}

const nothingToUpload = () => Promise.reject(new Error("a text has nothing to upload"));
