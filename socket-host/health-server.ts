import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * Answers `GET /health` on loopback with what the host carries. That it answers is the news: whoever watches the
 * container ends one that does not. A database or a queue that is away is not told here: a restart would not mend it.
 * `GET /metrics` is for Prometheus.
 * @returns the port
 * @throws the system's error when the port cannot be had
 */
export async function startHealthServer(
  port: number,
  report: () => object,
  metrics: () => Promise<string>,
): Promise<number> {
  const server = createServer((request, response) => {
    if (request.method === "GET" && request.url === "/metrics") {
      void metrics().then((text) => response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4" }).end(text));
      return;
    }
    const isKnown = request.method === "GET" && request.url === "/health";
    response.writeHead(isKnown ? 200 : 404, { "Content-Type": "application/json" });
    response.end(isKnown ? JSON.stringify(report()) : "{}");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  // It must not keep a process alive that has nothing else to do.
  server.unref();
  return (server.address() as AddressInfo).port;
}
