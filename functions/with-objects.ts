import { request as httpRequest } from "node:http";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Hono } from "hono";
import { OBJECTS_PATH } from "./object-link.ts";

const METHODS = new Set(["GET", "PUT"]);
/** What a presigned request may say, and its answer; nothing of the API's own, such as its cookie, goes further. */
const ASKED = ["content-type", "content-length", "range", "if-match", "if-none-match", "if-modified-since"];
const ANSWERED = [
  "accept-ranges",
  "content-disposition",
  "content-length",
  "content-range",
  "content-type",
  "etag",
  "last-modified",
];
const IDLE_TIMEOUT_MS = 30_000;

/**
 * An app behind which the media bucket can be read and written by whoever has a presigned URL, as streams. The signature is
 * checked by the object store, as without us. Files come from strangers: no browser runs anything in them under this origin.
 * @param endpoint of the object store, over HTTP
 */
export function withObjects(
  app: Pick<Hono, "fetch">,
  endpoint: string,
  { mediaBucket }: { mediaBucket: string },
): Pick<Hono, "fetch"> {
  const fetch: Hono["fetch"] = (request, ...more) => {
    const { pathname, search, searchParams } = new URL(request.url);
    const isObject = pathname.startsWith(OBJECTS_PATH) && METHODS.has(request.method);
    if (!isObject || !searchParams.has("X-Amz-Signature")) return app.fetch(request, ...more);
    const key = pathname.slice(OBJECTS_PATH.length);
    return pass(request, new URL(`/${mediaBucket}/${key}${search}`, endpoint));
  };
  return { fetch };
}

async function pass(request: Request, target: URL): Promise<Response> {
  const outgoing = httpRequest(target, {
    method: request.method,
    headers: chosen(ASKED, (name) => request.headers.get(name)),
    signal: request.signal,
    timeout: IDLE_TIMEOUT_MS,
  });
  outgoing.on("timeout", () => outgoing.destroy(new Error("the object store says nothing")));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.on("error", reject);
  });
  try {
    const [answer, sent] = await Promise.all([answered, send(request.body, outgoing, answered)]);
    const headers = new Headers({
      ...chosen(ANSWERED, (name) => answer.headers[name]),
      "Cache-Control": "private, no-store",
      "Content-Security-Policy": "sandbox; default-src 'none'",
      "X-Content-Type-Options": "nosniff",
    });
    const status = answer.statusCode ?? 502;
    if (sent === "whole" && status !== 304)
      return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, { status, headers });
    const reason = await text(answer);
    if (sent === "refused") outgoing.destroy();
    return new Response(reason || null, { status, headers });
  } catch {
    return new Response("the object store does not answer\n", { status: 503, headers: { "Retry-After": "5" } });
  }
}

/**
 * The store may refuse before it has read everything. The rest is read here, to nowhere: a connection that is closed in the
 * middle of a request is an error to its client, who would not see why.
 */
async function send(
  body: Request["body"],
  outgoing: ClientRequest,
  answered: Promise<unknown>,
): Promise<"whole" | "refused"> {
  let isOver = false;
  const end = () => {
    isOver = true;
  };
  const over = answered.then(end, end);
  for await (const chunk of body ?? []) {
    if (isOver || outgoing.write(chunk)) continue;
    await Promise.race([new Promise((resolve) => outgoing.once("drain", resolve)), over]);
  }
  if (isOver) return "refused";
  outgoing.end();
  return "whole";
}

function chosen(names: readonly string[], valueOf: (name: string) => unknown): Record<string, string> {
  const given = names.map((name) => [name, valueOf(name)] as const);
  return Object.fromEntries(given.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
}
