/**
 * The only way to a URL that a user gave: media to send, webhooks, chatbots. It reaches nothing inside (this machine,
 * its networks, a cloud's metadata), whatever the URL, the DNS or a redirect say, and holds what others send within
 * bounds. docs/security.md tells the rules.
 */
import { lookup } from "node:dns/promises";
import { request as requestHttp } from "node:http";
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { allowedUrl } from "./allowed-url.ts";
import type { FetchRefusal } from "./fetch-refusals.ts";
import { guardedAgents, InsideAddressError } from "./guarded-agents.ts";
import type { Resolve } from "./guarded-agents.ts";

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
  /** Ends what is still under way. */
  close(): void;
};

type Agents = ReturnType<typeof guardedAgents>;

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
  const agents = guardedAgents((hostname) => allowedPrivateHosts.includes(hostname), resolve);

  async function fetch<T>(request: FetchRequest, use: (response: FetchedResponse) => Promise<T>) {
    const endsAt = performance.now() + request.limits.totalTimeoutMs;
    const found = await follow(agents, request, endsAt);
    if (typeof found === "string") return { ok: false, reason: found } as const;
    const { url, answer } = found;
    const body = new BoundedBody(answer, request.limits, endsAt);
    try {
      const value = await use({ status: answer.statusCode ?? 0, headers: answer.headers, url, body });
      return body.stopped ? ({ ok: false, reason: body.stopped } as const) : ({ ok: true, value } as const);
    } catch (error) {
      if (body.stopped) return { ok: false, reason: body.stopped } as const;
      throw error;
    } finally {
      answer.destroy();
    }
  }
  return {
    fetch,
    close() {
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}

/** Asks, and asks again where it is sent to. Each place is looked at as if it were the first. */
async function follow(agents: Agents, request: FetchRequest, endsAt: number) {
  const { method, limits } = request;
  let url = allowedUrl(request.url);
  for (let hops = 0; ; hops++) {
    if (typeof url === "string") return url;
    const headers = hops === 0 ? (request.headers ?? {}) : {};
    // A header that cannot be sent is a mistake of the caller's, and thrown.
    const asked =
      url.protocol === "https:"
        ? requestHttps(url, { agent: agents["https:"], method, headers })
        : requestHttp(url, { agent: agents["http:"], method, headers });
    asked.end(request.body);
    const answer = await answerTo(asked, timeLeft(limits.headersTimeoutMs, endsAt)).catch(
      (error: unknown) => refusalOf(error) ?? "unreachable",
    );
    if (typeof answer === "string") return answer;
    // A body that nobody reads may still break.
    answer.on("error", () => undefined);
    const { location } = answer.headers;
    if (limits.maxRedirects === 0 || !REDIRECTS.has(answer.statusCode ?? 0) || !location) return { url, answer };
    answer.destroy();
    if (hops === limits.maxRedirects) return "too_many_redirects";
    url = allowedUrl(location, url);
  }
}

/** The head of the answer. Rejects when none comes in time. */
function answerTo(asked: ClientRequest, withinMs: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const giveUp = (error: Error) => {
      clearTimeout(timer);
      reject(error);
      asked.destroy();
    };
    const timer = setTimeout(() => giveUp(new TimeoutError()), withinMs);
    asked.once("response", (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    // It stays: what breaks later is told by the body.
    asked.on("error", giveUp);
    // Another protocol was offered (node:http, "upgrade"), which is no answer and no error.
    asked.once("close", () => giveUp(new Error("closed")));
  });
}

const timeLeft = (mostMs: number, endsAt: number) => Math.max(0, Math.min(mostMs, endsAt - performance.now()));

/** The body of an answer, cut off where it becomes too large or too slow. `stopped` then says why. */
class BoundedBody implements AsyncIterable<Buffer> {
  stopped: FetchRefusal | undefined;
  readonly #answer: IncomingMessage;
  readonly #limits: FetchLimits;
  readonly #endsAt: number;

  constructor(answer: IncomingMessage, limits: FetchLimits, endsAt: number) {
    this.#answer = answer;
    this.#limits = limits;
    this.#endsAt = endsAt;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    const { maxBytes, idleTimeoutMs } = this.#limits;
    const announced = Number(this.#answer.headers["content-length"] ?? 0);
    if (announced > maxBytes) throw this.#stop("too_large");
    let bytes = 0;
    const chunks: AsyncIterator<Buffer> = this.#answer[Symbol.asyncIterator]();
    for (;;) {
      if (performance.now() > this.#endsAt) throw this.#stop("timeout");
      const withinMs = timeLeft(idleTimeoutMs, this.#endsAt);
      const timer = setTimeout(() => this.#answer.destroy(new TimeoutError()), withinMs);
      // Only what the connection throws is a reason; what a reader throws is the reader's own.
      const next = await chunks
        .next()
        .catch((error: unknown) => {
          throw this.#stop(refusalOf(error) ?? "broken_off");
        })
        .finally(() => clearTimeout(timer));
      if (next.done) return;
      bytes += next.value.length;
      if (bytes > maxBytes) throw this.#stop("too_large");
      yield next.value;
    }
  }

  #stop(reason: FetchRefusal): Error {
    this.stopped = reason;
    return new Error(`the answer was cut off: ${reason}`);
  }
}

class TimeoutError extends Error {
  override readonly name = "TimeoutError";
  readonly code = "ETIMEDOUT";
}

const UNKNOWN_HOST = new Set(["ENOTFOUND", "EAI_AGAIN", "ENODATA"]);

/** Undefined: it only says that the other side did not keep to the protocol, or to the connection. */
function refusalOf(error: unknown): FetchRefusal | undefined {
  if (error instanceof InsideAddressError) return "inside_address";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (UNKNOWN_HOST.has(code)) return "unknown_host";
  return code === "ETIMEDOUT" ? "timeout" : undefined;
}
