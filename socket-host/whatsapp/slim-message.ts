import "./quiet.ts";
import { normalizeMessageContent, proto } from "@whiskeysockets/baileys";

/**
 * A message without the pictures that are shown before a file is loaded, which are most of its bytes. Undefined for bytes
 * that are no message.
 */
export function slimMessage(bytes: Uint8Array): Buffer | undefined {
  try {
    const message = proto.Message.decode(bytes);
    for (const part of Object.values(normalizeMessageContent(message) ?? {}) as unknown[]) removeThumbnails(part);
    return Buffer.from(proto.Message.encode(message).finish());
  } catch {
    return undefined;
  }
}

function removeThumbnails(part: unknown): void {
  if (typeof part !== "object" || part === null) return;
  for (const name of ["jpegThumbnail", "pngThumbnail"]) if (name in part) Reflect.set(part, name, null);
  // What is quoted holds its own thumbnail, and is never needed again.
  if ("contextInfo" in part && part.contextInfo) Reflect.set(part.contextInfo, "quotedMessage", null);
}
