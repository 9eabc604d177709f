import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

export type HttpProxy = {
  url: string;
  /** Each request takes so much longer, and this share of them (0 … 1) is answered 503 without having been made. */
  disturb: (how: { delayMs?: number; refusedShare?: number }) => void;
  close: () => Promise<void>;
};

const SLOW_DOWN = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`;

/** A way to S3 that can be slow and refuse requests. */
export async function startHttpProxy(target: string): Promise<HttpProxy> {
  let delayMs = 0;
  let refusedShare = 0;
  const server = createServer((asked, answer) => {
    setTimeout(() => {
      if (Math.random() < refusedShare) {
        asked.resume();
        answer.writeHead(503, { "content-type": "application/xml" }).end(SLOW_DOWN);
        return;
      }
      const { method, headers, url } = asked;
      const passed = request(new URL(url ?? "/", target), { method, headers }, (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      });
      passed.on("error", () => answer.destroy());
      asked.pipe(passed);
    }, delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    disturb(how) {
      delayMs = how.delayMs ?? 0;
      refusedShare = how.refusedShare ?? 0;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
