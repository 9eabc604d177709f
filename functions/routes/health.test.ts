import { expect, test } from "vitest";
import { openDatabase } from "../../shared/db/pool.ts";
import type { Database } from "../../shared/db/pool.ts";
import { openCommandQueues } from "../../shared/queue.ts";
import { startGateway } from "../testing/gateway.ts";
import { startHost } from "../testing/host.ts";

const gateway = await startGateway();
const anonymous = { token: null };
const ready = (changed: Parameters<typeof gateway.call>[3] = {}) =>
  gateway.call("GET", "/health/ready", { token: null, headers: { "accept-language": "en" } }, changed);
const notReady = (answer: Awaited<ReturnType<typeof ready>>) => {
  expect(answer.status).toBe(503);
  expect(answer.headers.get("retry-after")).toBe("5");
  return Object.fromEntries((answer.body.error.details ?? []).map(({ path, message }) => [path, message]));
};

test("the API says that it is alive, to anybody", async () => {
  const { status, body } = await gateway.call("GET", "/health", anonymous);
  expect(status).toBe(200);
  expect(body.data).toEqual({ status: "ok" });
});

test("it is not ready before a host holds every shard, and ready then", async () => {
  expect(notReady(await ready())).toEqual({ shards: "0 of 2 shards are held by a socket host" });
  const host = await startHost(gateway.database, gateway.queues, async () => undefined);
  const { status, body } = await ready();
  expect(status).toBe(200);
  expect(body.data).toEqual({ database: "ok", queue: "ok", shards: "ok" });
  await host.stop();
  expect(notReady(await ready())).toEqual({ shards: "0 of 2 shards are held by a socket host" });
});

test("each part that is away is named, without the reason", async () => {
  const database = openDatabase({ url: "mysql://root@127.0.0.1:1/x", poolSize: 1 });
  expect(notReady(await ready({ database }))).toEqual({ database: "cannot be reached", shards: "cannot be reached" });
  await database.close();
  const queues = openCommandQueues(gateway.services.config.commandQueueUrls.map((url) => `${url}-gone`));
  expect(notReady(await ready({ queues }))).toHaveProperty("queue", "cannot be reached");
  queues.close();
});

test("a part that is silent is not waited for", async () => {
  const database = { pool: { execute: () => new Promise(() => undefined) } } as unknown as Database;
  const start = performance.now();
  expect(notReady(await ready({ database }))).toHaveProperty("database", "does not answer in time");
  expect(performance.now() - start).toBeLessThan(4_000);
});
