import { Agent } from "node:https";
import { connect, type Socket } from "node:net";

type ConnectCallback = (error: Error | null, socket: Socket | null) => void;
type DispatcherClass = new (options: { connect(options: object, callback: ConnectCallback): void }) => object;

/** Where undici, the part of Node behind `fetch`, keeps the dispatcher that it uses by itself (undici lib/global.js). */
const GLOBAL_DISPATCHER = Symbol.for("undici.globalDispatcher.1");

/**
 * What makes Baileys reach the simulator's media host without TLS, whatever host name an address has: `fetchAgent` for
 * uploads (node:https), `dispatcher` in `options` for downloads (fetch). Both open plain TCP connections to the port.
 */
export function mediaAgents(port: number): { fetchAgent: Agent; dispatcher: object } {
  const fetchAgent = new Agent({ keepAlive: false });
  fetchAgent.createConnection = () => connect(port, "127.0.0.1");
  const dispatcher = new (dispatcherClass())({
    connect(_options, callback) {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => callback(null, socket));
      socket.once("error", (error) => callback(error, null));
    },
  });
  return { fetchAgent, dispatcher };
}

function dispatcherClass(): DispatcherClass {
  void fetch("data:,").catch(() => {}); // makes Node load undici
  const dispatcher = (globalThis as Record<symbol, unknown>)[GLOBAL_DISPATCHER];
  return (dispatcher as { constructor: DispatcherClass }).constructor;
}
