import "./quiet.ts";
import { createDecipheriv, createHmac } from "node:crypto";
import { get as getPlain } from "node:http";
import type { IncomingMessage } from "node:http";
import { get as getSecure } from "node:https";
import { getMediaKeys, normalizeMessageContent, proto } from "@whiskeysockets/baileys";
import type { MediaType } from "@whiskeysockets/baileys";
import type { Scratch, ScratchFile } from "../../shared/scratch.ts";
import { partOf } from "./decode/attached-media.ts";
import { numberOf } from "./decode/message-parts.ts";

/** A file that came with a message: where it is, how it is read, and what its sender says about it. */
export type AttachedFile = {
  address: URL;
  mediaKey: Uint8Array;
  type: MediaType;
  sizeBytes: number;
  sha256: string | undefined;
  mimetype: string;
  fileName: string | undefined;
};

/** `gone`: the server has it no more. `damaged`: it is not what its sender has encrypted. */
export type Downloaded =
  | { outcome: "done"; file: ScratchFile }
  | { outcome: "gone" | "damaged" | "too_large" | "unreachable" };

/** Where files are when their message does not say (lib/Utils/messages-media.js, DEF_MEDIA_HOST). */
const USUAL_HOST = "mmg.whatsapp.net";
const OUR_ORIGIN = "https://web.whatsapp.com";
const MAC_BYTES = 10;
const IDLE_TIMEOUT_MS = 15_000;
const WITHIN_MS = 300_000;
const GONE = new Set([403, 404, 410]);

class DamagedError extends Error {
  override readonly name = "DamagedError";
}

/**
 * What a message says about its file; undefined when it has none, or none that can be fetched. The address is a sender's
 * word: only WhatsApp's media servers are asked, or a simulator's.
 * @param bytes the message in WhatsApp's encoding
 * @param origin see `WhatsAppConfig.mediaOrigin`
 */
export function attachedFile(bytes: Uint8Array, origin: string | undefined): AttachedFile | undefined {
  const content = normalizeMessageContent(proto.Message.decode(bytes));
  const [kind, part] = (content && partOf(content)) ?? [];
  if (!kind || !part?.mediaKey?.length) return undefined;
  const address = addressOf(part.directPath, part.url, origin);
  if (!address) return undefined;
  return {
    address,
    mediaKey: part.mediaKey,
    type: kind === "voice" ? "ptt" : kind,
    sizeBytes: numberOf(part.fileLength),
    sha256: part.fileSha256?.length ? Buffer.from(part.fileSha256).toString("hex") : undefined,
    mimetype: part.mimetype ?? "",
    fileName: part.fileName || undefined,
  };
}

function addressOf(
  directPath: string | null | undefined,
  url: string | null | undefined,
  origin: string | undefined,
): URL | undefined {
  const named = url && URL.canParse(url) ? new URL(url) : undefined;
  const path = directPath || (named && `${named.pathname}${named.search}`);
  if (!path?.startsWith("/")) return undefined;
  const host = named && /^[\w-]+(?:\.[\w-]+)*\.whatsapp\.net$/.test(named.host) ? named.host : USUAL_HOST;
  const base = origin ?? `https://${host}`;
  const address = URL.canParse(path, base) ? new URL(path, base) : undefined;
  // A path that begins with two slashes names a host.
  return address?.origin === new URL(base).origin ? address : undefined;
}

/** Downloads and decrypts a file to the disk, as it comes. Rejects when the signal is given, and with errors of the disk. */
export async function download(
  file: AttachedFile,
  scratch: Scratch,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Downloaded> {
  const { cipherKey, iv, macKey } = await getMediaKeys(file.mediaKey, file.type);
  if (!macKey) throw new Error("a media key without its MAC key");
  let answer: IncomingMessage;
  try {
    answer = await ask(file.address, AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]));
  } catch (error) {
    if (signal.aborted) throw error;
    return { outcome: "unreachable" };
  }
  try {
    if (answer.statusCode !== 200) return { outcome: GONE.has(answer.statusCode ?? 0) ? "gone" : "unreachable" };
    const kept = await scratch.keep(decrypted(answer, { cipherKey, iv, macKey }), maxBytes);
    if (kept === "too large") return { outcome: "too_large" };
    const isSame = file.sha256 === undefined || file.sha256 === kept.sha256;
    return isSame ? { outcome: "done", file: kept } : { outcome: "damaged" };
  } catch (error) {
    if (signal.aborted) throw error;
    return { outcome: error instanceof DamagedError ? "damaged" : "unreachable" };
  } finally {
    answer.destroy();
  }
}

function ask(address: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const get = address.protocol === "https:" ? getSecure : getPlain;
  return new Promise((resolve, reject) => {
    const request = get(address, { signal, timeout: IDLE_TIMEOUT_MS, headers: { Origin: OUR_ORIGIN } }, resolve);
    request.on("timeout", () => request.destroy(new Error("the media server is silent")));
    request.on("error", reject);
  });
}

type Keys = { cipherKey: Uint8Array; iv: Uint8Array; macKey: Uint8Array };

/** AES-256-CBC, then the first ten bytes of an HMAC-SHA256 over it (lib/Utils/messages-media.js, encryptedStream). */
async function* decrypted(source: AsyncIterable<Buffer>, { cipherKey, iv, macKey }: Keys): AsyncGenerator<Buffer> {
  const decipher = createDecipheriv("aes-256-cbc", cipherKey, iv);
  const hmac = createHmac("sha256", macKey).update(iv);
  let tail = Buffer.alloc(0);
  for await (const chunk of source) {
    const all = Buffer.concat([tail, chunk]);
    const end = Math.max(0, all.length - MAC_BYTES);
    const body = all.subarray(0, end);
    tail = all.subarray(end);
    hmac.update(body);
    yield decipher.update(body);
  }
  if (!hmac.digest().subarray(0, MAC_BYTES).equals(tail)) throw new DamagedError();
  let last: Buffer;
  try {
    last = decipher.final();
  } catch {
    throw new DamagedError();
  }
  yield last;
}
