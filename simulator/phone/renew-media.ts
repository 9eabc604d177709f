import { randomBytes } from "node:crypto";
import { aesDecryptGCM, aesEncryptGCM, hkdf, normalizeMessageContent, proto } from "@whiskeysockets/baileys";
import type { MediaLibrary } from "../media/media-library.ts";
import { child, childBytes, node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import type { KnownMessage } from "./known-messages.ts";

type MediaContent = { mediaKey?: Uint8Array | null; directPath?: string | null };

const { NOT_FOUND, DECRYPTION_ERROR, SUCCESS } = proto.MediaRetryNotification.ResultType;

/**
 * A device could not download a file and asks its phone to upload it once more (`<receipt type=server-error>`); the answer
 * is a `mediaretry` notification with the new path, or with the reason why not: Baileys Utils/messages-media.js,
 * `encryptMediaRetryRequest` and `decodeMediaRetryNode`. Throws `Malformed` if parts are missing.
 */
export async function renewMedia(
  media: MediaLibrary,
  request: BinaryNode,
  message: KnownMessage | undefined,
): Promise<BinaryNode> {
  const id = request.attrs["id"] ?? "";
  const answer = (content: BinaryNode) => {
    const { from: to, to: from } = request.attrs;
    return node("notification", { from, to, type: "mediaretry", id, t: nowSeconds() }, [
      content,
      node("rmr", child(request, "rmr")?.attrs ?? {}),
    ]);
  };
  const failed = (code: number) => answer(node("error", { code: String(code) }));
  const { mediaKey, directPath } = mediaOf(message) ?? {};
  if (!mediaKey || !directPath) return failed(NOT_FOUND);
  const key = hkdf(mediaKey, 32, { info: "WhatsApp Media Retry Notification" });
  const encrypt = child(request, "encrypt");
  if (!isFor(id, key, childBytes(encrypt, "enc_p"), childBytes(encrypt, "enc_iv"))) return failed(DECRYPTION_ERROR);
  const renewed = await media.renew(directPath);
  if (!renewed) return failed(NOT_FOUND);
  const told = proto.MediaRetryNotification.encode({
    stanzaId: id,
    directPath: renewed.directPath,
    result: SUCCESS,
  }).finish();
  const iv = randomBytes(12);
  const sealed = aesEncryptGCM(told, key, iv, Buffer.from(id));
  return answer(node("encrypt", {}, [node("enc_p", {}, sealed), node("enc_iv", {}, iv)]));
}

/** The part of a message that says where its file is. */
function mediaOf(message: KnownMessage | undefined): MediaContent | undefined {
  const content = normalizeMessageContent(message?.message) ?? {};
  return Object.values(content).find(
    (each: unknown): each is MediaContent => typeof each === "object" && each !== null && "mediaKey" in each,
  );
}

function isFor(id: string, key: Uint8Array, sealed: Buffer, iv: Buffer): boolean {
  try {
    const receipt = proto.ServerErrorReceipt.decode(aesDecryptGCM(sealed, key, iv, Buffer.from(id)));
    return receipt.stanzaId === id;
  } catch {
    return false;
  }
}
