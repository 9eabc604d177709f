import type { IncomingMessage, ServerResponse } from "node:http";
import type { Place } from "../network/faults.ts";
import type { Network } from "../network/network.ts";
import { placeOf } from "../network/place-of.ts";
import { addressOf, MAX_FILE_BYTES, type MediaFile } from "./media-library.ts";

const UPLOAD = /^\/mms\/(?:image|video|audio|document|md-app-state)\/([A-Za-z0-9_-]{43})$/;
const RANGE = /^bytes=(\d+)-(\d*)$/;

/** Whether a request is for the media host and not for the control API. */
export function isMediaRequest({ url = "" }: IncomingMessage): boolean {
  return url.startsWith("/mms/") || url.startsWith("/v/");
}

/**
 * The media host in plain HTTP; clients think that it is `https://mmg.whatsapp.net`. `POST /mms/<kind>/<SHA-256 of the
 * encrypted file, base64url>?auth=…` stores a file and answers `{url, direct_path}`; `GET <direct path>` brings it, whole or
 * a range of it (Baileys Utils/messages-media.js, `getWAUploadToServer` and `downloadEncryptedContent`). `auth` is what
 * `<media_conn>` gave the device. Files pass through as streams.
 */
export async function serveMedia(network: Network, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    if (request.method === "POST") await upload(network, request, response);
    else if (request.method === "GET") await download(network, request, response);
    else refuse(response, 405);
  } catch {
    if (response.headersSent) response.destroy();
    else refuse(response, 500);
  }
}

async function upload(network: Network, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "", "http://media");
  const hash = UPLOAD.exec(pathname)?.[1];
  const device = network.deviceByMediaAuth(searchParams.get("auth") ?? "");
  if (hash === undefined) return refuse(response, 404);
  if (!device) return refuse(response, 401);
  const by = { phone: device.account.number, device: device.device };
  const fault = network.faults.take("media-upload-error", placeOf(network, device.account, device.device));
  if (fault) return refuse(response, fault.code);
  if (Number(request.headers["content-length"]) > MAX_FILE_BYTES) return refuse(response, 413);
  const saved = await network.media.save(request, { by }, Buffer.from(hash, "base64url"));
  if (saved.outcome !== "saved") return refuse(response, saved.outcome === "too-large" ? 413 : 400);
  network.changed(network.media);
  const { url, directPath } = addressOf(saved.file);
  response.setHeader("content-type", "application/json").end(JSON.stringify({ url, direct_path: directPath }));
}

async function download(network: Network, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const file = network.media.find(request.url ?? "");
  if (!file) return refuse(response, 404);
  const code = goneCode(network, file);
  if (code !== undefined) return refuse(response, code);
  const range = RANGE.exec(request.headers.range ?? "");
  const start = range ? Number(range[1]) : 0;
  const end = Math.min(range?.[2] ? Number(range[2]) : Infinity, file.size - 1);
  if (range && (start >= file.size || end < start)) return refuse(response, 416);
  response.setHeader("content-type", "application/octet-stream").setHeader("content-length", end - start + 1);
  if (range) response.writeHead(206, { "content-range": `bytes ${start}-${end}/${file.size}` });
  const source = network.media.stream(file, { start, end });
  source.on("error", () => response.destroy());
  response.on("close", () => source.destroy());
  source.pipe(response);
}

/** The status for a file that is gone, or goes now because a fault says so; `undefined` for one that is there. */
export function goneCode(network: Network, file: MediaFile): number | undefined {
  if (file.isGone) return GONE;
  if (file.isLasting) return undefined;
  const owner = network.account(file.by.phone);
  const source = owner ? placeOf(network, owner, file.by.device) : file.by;
  const places = [source, ...(file.audience ?? []).flatMap((phone) => devicesOf(network, phone))];
  for (const place of places) {
    const fault = network.faults.take("media-gone", place);
    if (!fault) continue;
    file.isGone = true;
    network.changed(network.media);
    return fault.code;
  }
  return undefined;
}

function devicesOf(network: Network, phone: string): Place[] {
  return (network.account(phone)?.endpoints() ?? []).map(({ account, device }) => placeOf(network, account, device));
}

/** Baileys asks for a new upload after 404 and 410 (Utils/messages.js, `REUPLOAD_REQUIRED_STATUS`). */
const GONE = 410;

/** What was not read of the body is not wanted. */
function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify({ error: status }));
}
