import "./quiet.ts";
import { proto } from "@whiskeysockets/baileys";
import type { WASocket } from "@whiskeysockets/baileys";
import { GROUP_SERVER, parseJid } from "../../shared/jid.ts";

/** Which message it is: its chat and its writer by their JIDs. */
export type MediaMessage = { id: string; chat: string; fromMe: boolean; sender: string };

const WITHIN_MS = 60_000;
/** The phone's refusals as Baileys gives them (lib/Utils/messages-media.js, MEDIA_RETRY_STATUS_MAP). */
const REFUSED = new Set([404, 412, 418]);

/**
 * Asks our phone to upload the file of a message once more.
 * @param bytes the message in WhatsApp's encoding
 * @returns the message with its file's new place; undefined when the phone has it no more. Rejects when it does not answer
 */
export async function renewMedia(
  sock: Pick<WASocket, "updateMediaMessage">,
  { id, chat, fromMe, sender }: MediaMessage,
  bytes: Uint8Array,
): Promise<Buffer | undefined> {
  const participant = parseJid(chat)?.server === GROUP_SERVER && sender ? { participant: sender } : {};
  const message = { key: { remoteJid: chat, id, fromMe, ...participant }, message: proto.Message.decode(bytes) };
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("the phone does not answer")), WITHIN_MS);
  });
  try {
    const renewed = await Promise.race([sock.updateMediaMessage(message), silence]);
    return renewed.message ? Buffer.from(proto.Message.encode(renewed.message).finish()) : undefined;
  } catch (error) {
    if (REFUSED.has(statusOf(error) ?? 0)) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Baileys' errors are Booms. */
function statusOf(error: unknown): number | undefined {
  const output = error instanceof Error && "output" in error ? error.output : undefined;
  const code = output && typeof output === "object" && "statusCode" in output ? output.statusCode : undefined;
  return typeof code === "number" ? code : undefined;
}
