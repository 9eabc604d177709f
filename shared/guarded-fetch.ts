/**
 * The only way to a URL that a user gave: media to send, webhooks, chatbots. It reaches nothing inside (this machine,
 * its networks, a cloud's metadata), whatever the URL, the DNS or a redirect say, and holds what others send within
 * bounds. docs/security.md tells the rules.
 */
import { lookup } from "node:dns/promises";
import type { IncomingHttpHeaders } from "node:http";
import { Agent, errors, request as send } from "undici";
import type { Dispatcher } from "undici";
import { allowedUrl } from "./allowed-url.ts";
import type { FetchRefusal } from "./fetch-refusals.ts";
import { guardedConnector, InsideAddressError } from "./guarded-connector.ts";
import type { Resolve } from "./guarded-connector.ts";

export type FetchRequest = {
  url: string;
  method: "GET" | "POST";
  /** Sent to `url` only: a redirect is followed without them. */
  headers?: Record<string, string>;
  body?: string;
  limits: FetchLimits;
};

export type FetchLimits = {
  /** Of the body as it comes over the wire; none is unpacked. */
  maxBytes: number;
  /** From the request to the end of the headers. */
  headersTimeoutMs: number;
  /** Between two pieces of the body. */
  idleTimeoutMs: number;
  /** Of everything, redirects and body too. */
  totalTimeoutMs: number;
  /** 0: a redirect is an answer like any other. Only a GET may follow. */
  maxRedirects: number;
};

export type FetchedResponse = {
  /** Of any kind: 404 is an answer too. */
  status: number;
  headers: IncomingHttpHeaders;
  /** Where the redirects led. */
  url: URL;
  /** At most `maxBytes`. Throws when it is cut short, and `fetch` then gives the reason. It need not be read. */
  body: AsyncIterable<Buffer>;
};

export type FetchOutcome<T> = { ok: true; value: T } | { ok: false; reason: FetchRefusal };

export type GuardedFetch = {
  /**
   * @param use what is done with the answer while it comes; the connection lasts no longer than this
   * @returns what `use` made of it, or why there is no whole answer. Rejects only with what `use` throws by itself.
   */
  fetch<T>(request: FetchRequest, use: (response: FetchedResponse) => Promise<T>): Promise<FetchOutcome<T>>;
  close(): Promise<void>;
};

const MAX_CONNECTIONS_PER_ORIGIN = 16;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * @param allowedPrivateHosts hosts that may be inside, as `ALLOWED_PRIVATE_HOSTS` gives them. A URL must name them: a
 *   name that merely resolves to such an address does not get there.
 * @param resolve the DNS
 */
export function openGuardedFetch(
  allowedPrivateHosts: readonly string[],
  resolve: Resolve = (hostname) => lookup(hostname, { all: true }),
): GuardedFetch {
  const agent = new Agent({
    connect: guardedConnector((hostname) => allowedPrivateHosts.includes(hostname), resolve),
    connections: MAX_CONNECTIONS_PER_ORIGIN,
  });

  async function fetch<T>(request: FetchRequest, use: (response: FetchedResponse) => Promise<T>) {
    const deadline = AbortSignal.timeout(request.limits.totalTimeoutMs);
    const answer = await follow(agent, request, deadline);
    if (typeof answer === "string") return { ok: false, reason: answer } as const;
    const { url, head } = answer;
    const body = new BoundedBody(head, request.limits.maxBytes, deadline);
    try {
      const value = await use({ status: head.statusCode, headers: head.headers, url, body });
      return body.stopped ? ({ ok: false, reason: body.stopped } as const) : ({ ok: true, value } as const);
    } catch (error) {
      if (body.stopped) return { ok: false, reason: body.stopped } as const;
      throw error;
    } finally {
      head.body.destroy();
    }
  }
  return { fetch, close: () => agent.destroy() };
}

/** Asks, and asks again where it is sent to. Each place is looked at as if it were the first. */
async function follow(agent: Agent, request: FetchRequest, deadline: AbortSignal) {
  const { method, limits } = request;
  let url = allowedUrl(request.url);
  for (let hops = 0; ; hops++) {
    if (typeof url === "string") return url;
    let head: Dispatcher.ResponseData;
    try {
      head = await send(url, {
        dispatcher: agent,
        method,
        headers: hops === 0 ? (request.headers ?? {}) : {},
        body: request.body ?? null,
        headersTimeout: limits.headersTimeoutMs,
        bodyTimeout: limits.idleTimeoutMs,
        signal: deadline,
      });
    } catch (error) {
      return refusalOf(error, deadline, "unreachable");
    }
    // A body that nobody reads may still break.
    head.body.on("error", () => undefined);
    const { location } = head.headers;
    if (limits.maxRedirects === 0 || !REDIRECTS.has(head.statusCode) || !location) return { url, head };
    head.body.destroy();
    if (hops === limits.maxRedirects) return "too_many_redirects";
    url = allowedUrl(String(location), url);
  }
}

/** The body of an answer, cut off where it becomes too large or too slow. `stopped` then says why. */
class BoundedBody implements AsyncIterable<Buffer> {
  stopped: FetchRefusal | undefined;
  readonly #head: Dispatcher.ResponseData;
  readonly #maxBytes: number;
  readonly #deadline: AbortSignal;

  constructor(head: Dispatcher.ResponseData, maxBytes: number, deadline: AbortSignal) {
    this.#head = head;
    this.#maxBytes = maxBytes;
    this.#deadline = deadline;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    const announced = Number(this.#head.headers["content-length"] ?? 0);
    if (announced > this.#maxBytes) throw this.#stop("too_large");
    let bytes = 0;
    const chunks = this.#head.body[Symbol.asyncIterator]();
    for (;;) {
      // Only what the connection throws is a reason; what a reader throws is the reader's own.
      const next = await chunks.next().catch((error: unknown) => {
        throw this.#stop(refusalOf(error, this.#deadline, "broken_off"));
      });
      if (next.done) return;
      bytes += next.value.length;
      if (bytes > this.#maxBytes) throw this.#stop("too_large");
      yield next.value;
    }
  }

  #stop(reason: FetchRefusal): Error {
    this.stopped = reason;
    return new Error(`the answer was cut off: ${reason}`);
  }
}

const UNKNOWN_HOST = new Set(["ENOTFOUND", "EAI_AGAIN", "ENODATA"]);
const TIMEOUT = new Set(["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "ETIMEDOUT"]);

/** @param otherwise for what only says that the other side did not keep to the protocol, or to the connection */
function refusalOf(error: unknown, deadline: AbortSignal, otherwise: FetchRefusal): FetchRefusal {
  if (error instanceof InsideAddressError) return "inside_address";
  // A header that cannot be sent is a mistake of the caller's.
  if (error instanceof errors.InvalidArgumentError) throw error;
  if (deadline.aborted) return "timeout";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (UNKNOWN_HOST.has(code)) return "unknown_host";
  return TIMEOUT.has(code) ? "timeout" : otherwise;
}
