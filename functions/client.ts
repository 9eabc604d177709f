import ipaddr from "ipaddr.js";

/** Where a request comes from, as far as that can be known. */
export type Client = {
  /** The IP address; null when it is not known. */
  address: string | null;
  /** Whether it came over HTTPS: then the login cookie is for HTTPS only. */
  isSecure: boolean;
  /** Under what address the client knows the API, as `https://gw.example`; null when it does not say. */
  origin: string | null;
  /** Whether a page of this very origin asks, another's, or something that does not say: no browser of today. */
  site: "same" | "other" | "unknown";
};

type Headers = Readonly<Record<string, string | undefined>>;
/** What @hono/node-server and hono/aws-lambda hand to the app besides the request. */
type Bindings = {
  incoming?: { socket?: { remoteAddress?: string } };
  requestContext?: { http?: { sourceIp?: string } };
};

/** A name or an address, and a port. */
const HOST = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?$/i;

/**
 * @param headers with lower-case names
 * @param trustedProxies how many proxies of the operator's stand before this process: each adds one address to
 *   `X-Forwarded-For`, and what stands before those anybody could have written. The function behind an HTTP API counts
 *   those before the API: it passes the address on by itself, and takes HTTPS only.
 */
export function clientOf(bindings: unknown, headers: Headers, trustedProxies: number): Client {
  const { incoming, requestContext } = (bindings ?? {}) as Bindings;
  const peer = incoming?.socket?.remoteAddress ?? requestContext?.http?.sourceIp;
  const forwarded = (headers["x-forwarded-for"] ?? "").split(",").map((part) => part.trim());
  // An HTTP API of AWS has put its peer there already.
  const chain = requestContext && forwarded.at(-1) === peer ? forwarded : [...forwarded, peer];
  const isForwarded = trustedProxies > 0;
  const address = isForwarded ? chain.at(-1 - trustedProxies) : peer;
  const isSecure = requestContext !== undefined || (isForwarded && headers["x-forwarded-proto"] === "https");
  const host = isForwarded ? (headers["x-forwarded-host"] ?? headers["host"]) : headers["host"];
  return {
    address: address !== undefined && ipaddr.isValid(address) ? ipaddr.process(address).toString() : null,
    isSecure,
    origin: host !== undefined && HOST.test(host) ? `${isSecure ? "https" : "http"}://${host}` : null,
    site: siteOf(headers, host),
  };
}

/** Browsers say it themselves in `Sec-Fetch-Site`, on HTTPS and localhost; everywhere else they send `Origin` with a write. */
function siteOf(headers: Headers, host: string | undefined): Client["site"] {
  const fetchSite = headers["sec-fetch-site"];
  if (fetchSite !== undefined && fetchSite !== "none") return fetchSite === "same-origin" ? "same" : "other";
  const { origin } = headers;
  if (origin === undefined) return "unknown";
  return URL.canParse(origin) && new URL(origin).host === host ? "same" : "other";
}
