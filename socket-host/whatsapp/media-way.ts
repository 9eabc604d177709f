import { Agent } from "node:https";
import { connect } from "node:net";
import type { Socket } from "node:net";

/** Baileys' options for how files travel. */
export type MediaWay = { fetchAgent?: Agent; options?: RequestInit };

/**
 * How Baileys reaches the media server: as it is made for WhatsApp, or, with a simulator, by plain connections to its
 * origin, whatever host an address names. `fetchAgent` is for uploads, the dispatcher for what Baileys downloads itself
 * (large histories, app state).
 * @param origin see `WhatsAppConfig.mediaOrigin`
 */
export function mediaWay(origin: string | undefined): MediaWay {
  if (origin === undefined) return {};
  const { hostname, port } = new URL(origin);
  const open = () => connect(Number(port || 80), hostname);
  const fetchAgent = new Agent({ keepAlive: false });
  fetchAgent.createConnection = open;
  const dispatcher = new (nodeDispatcher())({
    connect(_options, done) {
      const socket = open();
      socket.once("connect", () => done(null, socket));
      socket.once("error", (error) => done(error, null));
    },
  });
  return { fetchAgent, options: { dispatcher } as RequestInit };
}

type Done = (error: Error | null, socket: Socket | null) => void;
type Dispatcher = new (options: { connect: (options: object, done: Done) => void }) => object;

/** The class of Node's own `fetch`, which takes no dispatcher of another version (undici, lib/global.js). */
function nodeDispatcher(): Dispatcher {
  // Node loads undici with the first use.
  fetch("data:,").catch(() => undefined);
  const own = (globalThis as Record<symbol, unknown>)[Symbol.for("undici.globalDispatcher.1")];
  return (own as { constructor: Dispatcher }).constructor;
}
