import "./quiet.ts";
import { generateWAMessageContent, proto } from "@whiskeysockets/baileys";
import type { AnyMessageContent } from "@whiskeysockets/baileys";
import type { SendingPayload } from "../../shared/commands.ts";
import { silentLogger } from "./silent-logger.ts";

/** How each kind of message is said to Baileys. */
function toContent(message: SendingPayload): AnyMessageContent {
  switch (message.kind) {
    case "send-text":
      return { text: message.text, ...(message.mentions && { mentions: message.mentions }) };
  }
}

/** The content of a message as its bytes on WhatsApp. Not the same bytes twice: they are made once and kept. */
export async function encode(message: SendingPayload): Promise<Buffer> {
  const content = await generateWAMessageContent(toContent(message), { logger: silentLogger, upload: nothingToUpload });
  return Buffer.from(proto.Message.encode(content).finish());
}

const nothingToUpload = () => Promise.reject(new Error("a text has nothing to upload"));
