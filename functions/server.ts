import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";

export type ApiServer = {
  /** Where to reach it from this machine. */
  url: string;
  /** Takes no more connections, lets requests under way finish for at most 10 s, then cuts them off. */
  close: () => Promise<void>;
};

/**
 * A client that sends slowly, on purpose or not, holds a connection and nothing else, and not for long. None of these
 * limits counts the time that the answer takes.
 */
const LIMITS = {
  headersTimeout: 5_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
  // Longer than the idle time-outs of common load balancers (60 s), so that it is they who end idle connections.
  keepAliveTimeout: 65_000,
};
const MAX_CONNECTIONS = 5_000;
const FINISH_WITHIN_MS = 10_000;
const CLOSE_IDLE_EVERY_MS = 50;
const ANY_ADDRESS = new Set(["0.0.0.0", "::"]);

/**
 * Serves an app over HTTP on one machine.
 * @param options `port` 0: any free one
 * @throws the system's error when the address cannot be had, such as EADDRINUSE
 */
export async function startServer(
  app: Pick<Hono, "fetch">,
  options: { bindAddress: string; port: number },
): Promise<ApiServer> {
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions: LIMITS }) as Server;
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.bindAddress, () => resolve());
  });
  return { url: urlOf(options.bindAddress, (server.address() as AddressInfo).port), close: () => close(server) };
}

function urlOf(bindAddress: string, port: number): string {
  const host = ANY_ADDRESS.has(bindAddress) ? "127.0.0.1" : bindAddress;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // Node closes the connections that are idle now; a client keeps the others open after their answers.
  const sweeping = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
  const cutOff = setTimeout(() => server.closeAllConnections(), FINISH_WITHIN_MS);
  await closed;
  clearInterval(sweeping);
  clearTimeout(cutOff);
}
