import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { isIP, Socket } from "node:net";
import type { LookupFunction } from "node:net";
import type { LookupAddress } from "node:dns";
import { callbackify } from "node:util";
import { isInsideAddress } from "./inside-address.ts";

/** All addresses of a name, as `dns.promises.lookup` gives them. Rejects when there are none. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Why a connection was not made: the host is an inside address, or has no other. */
export class InsideAddressError extends Error {
  override readonly name = "InsideAddressError";
}

const MAX_CONNECTIONS_PER_ORIGIN = 16;
/** How long a connection is kept for the next request. Less than the 5 s after which a server made with Node closes it. */
const IDLE_CONNECTION_MS = 4_000;
/** Node's own 250 ms (net.connect, autoSelectFamilyAttemptTimeout) is less than a round trip to the other side of the world. */
const ATTEMPT_TIMEOUT_MS = 1_000;

/**
 * By the protocol of a URL. They connect to no inside address, except of the hosts that are named. A name is looked up
 * once, and the connection goes to what was looked at: an answer that changes in between is of no use. An address that
 * stands in the URL itself is never looked up (net.connect calls `lookup` for names only), so it is checked before.
 * @param isNamed whether the operator opened this host, a name or an address without brackets
 */
export function guardedAgents(isNamed: (hostname: string) => boolean, resolve: Resolve) {
  const find = callbackify(async (hostname: string) => {
    const found = await resolve(hostname);
    const allowed = isNamed(hostname) ? found : found.filter(({ address }) => !isInsideAddress(address));
    if (allowed.length === 0) throw new InsideAddressError();
    return allowed;
  });
  // With `autoSelectFamily` net.connect always asks for all addresses.
  const lookup: LookupFunction = (hostname, _options, callback) => find(hostname, callback);
  const options = {
    keepAlive: true,
    timeout: IDLE_CONNECTION_MS,
    maxSockets: MAX_CONNECTIONS_PER_ORIGIN,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
    lookup,
  };
  return { "http:": guard(new HttpAgent(options), isNamed), "https:": guard(new HttpsAgent(options), isNamed) };
}

function guard<T extends HttpAgent>(agent: T, isNamed: (hostname: string) => boolean): T {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const host = options.host ?? "";
    if (isNamed(host)) return connect(options, callback);
    if (isIP(host) && isInsideAddress(host)) {
      // Beside an error the socket is not looked at.
      callback?.(new InsideAddressError(), new Socket());
      return undefined;
    }
    const socket = connect(options, callback);
    if (!(socket instanceof Socket)) throw new Error("a connection without an address");
    // The last word has the address that we are connected to, whatever led there. Nobody has written to it yet: this
    // listener is before that of the request.
    socket.prependOnceListener("connect", () => {
      if (isInsideAddress(socket.remoteAddress ?? "")) socket.destroy(new InsideAddressError());
    });
    return socket;
  };
  return agent;
}
