import { expect, it } from "vitest";
import { startHealthServer } from "./health-server.ts";

it("a host tells on loopback that it lives and what it carries, and nothing else", async () => {
  const port = await startHealthServer(0, () => ({ shards: 3, devices: 7 }));
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  expect([health.status, await health.json()]).toEqual([200, { shards: 3, devices: 7 }]);
  expect((await fetch(`http://127.0.0.1:${port}/anything`)).status).toBe(404);
});
