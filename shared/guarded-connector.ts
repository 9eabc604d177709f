import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import type { LookupAddress } from "node:dns";
import { callbackify } from "node:util";
import { buildConnector } from "undici";
import { isInsideAddress } from "./inside-address.ts";

/** All addresses of a name, as `dns.promises.lookup` gives them. Rejects when there are none. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Why a connection was not made: the host is an inside address, or has no other. */
export class InsideAddressError extends Error {
  override readonly name = "InsideAddressError";
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Node's own 250 ms (net.connect, autoSelectFamilyAttemptTimeout) is less than a round trip to the other side of the world. */
const ATTEMPT_TIMEOUT_MS = 1_000;

/**
 * Connects to no inside address, except of the hosts that are named. A name is looked up once, and the connection goes
 * to what was looked at: an answer that changes in between is of no use. An address that stands in the URL itself is
 * never looked up (net.connect calls `lookup` for names only), so it is checked before.
 * @param isNamed whether the operator opened this host, a name or an address without brackets
 */
export function guardedConnector(isNamed: (hostname: string) => boolean, resolve: Resolve): buildConnector.connector {
  const timing = {
    timeout: CONNECT_TIMEOUT_MS,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ATTEMPT_TIMEOUT_MS,
  };
  const connectToNamed = buildConnector({ ...timing, lookup: lookupWith(resolve) });
  const connectOutside = buildConnector({
    ...timing,
    lookup: lookupWith(async (hostname) => {
      const outside = (await resolve(hostname)).filter(({ address }) => !isInsideAddress(address));
      if (outside.length === 0) throw new InsideAddressError();
      return outside;
    }),
  });

  return (options, callback) => {
    if (isNamed(options.hostname)) return connectToNamed(options, callback);
    if (isIP(options.hostname) && isInsideAddress(options.hostname)) return callback(new InsideAddressError(), null);
    connectOutside(options, (...[error, socket]) => {
      if (error) return callback(error, null);
      // The last word has the address that we are connected to, whatever led there.
      if (!isInsideAddress(socket.remoteAddress ?? "")) return callback(null, socket);
      socket.destroy();
      callback(new InsideAddressError(), null);
    });
  };
}

function lookupWith(resolve: Resolve): LookupFunction {
  const look = callbackify(resolve);
  // With `autoSelectFamily` net.connect always asks for all addresses.
  return (hostname, _options, callback) => look(hostname, callback);
}
