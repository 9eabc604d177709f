import { GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, test, vi } from "vitest";
import { openDatabase, select } from "../shared/db/pool.ts";
import { isOutage } from "./outage.ts";

vi.stubEnv("AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED", "true");

/** A port where nobody listens any more. */
async function deadPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const errorOf = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => undefined,
    (error: unknown) => error,
  );

test("a database that cannot be reached is an outage, and so is a pool that was closed", async () => {
  const database = openDatabase({ url: `mysql://root@127.0.0.1:${await deadPort()}/x`, poolSize: 1 });
  expect(isOutage(await errorOf(select(database.pool, "SELECT 1")))).toBe(true);
  await database.close();
  expect(isOutage(await errorOf(select(database.pool, "SELECT 1")))).toBe(true);
});

test("a queue service that cannot be reached, or that refuses, is an outage", async () => {
  const client = new SQSClient({
    endpoint: `http://127.0.0.1:${await deadPort()}`,
    region: "us-east-1",
    credentials: { accessKeyId: "key", secretAccessKey: "secret" },
    maxAttempts: 1,
  });
  const command = new GetQueueUrlCommand({ QueueName: "x" });
  expect(isOutage(await errorOf(client.send(command)))).toBe(true);
  expect(isOutage(await errorOf(client.send(command, { abortSignal: AbortSignal.abort() })))).toBe(true);
  client.destroy();
});

test("a deadlock and a read-only server are outages, a wrong statement is not", () => {
  const mysqlError = (errno: number) => Object.assign(new Error("sql"), { errno, sqlState: "HY000" });
  expect([1205, 1213, 1290, 1836].map((errno) => isOutage(mysqlError(errno)))).toEqual([true, true, true, true]);
  expect([1054, 1064, 1406].map((errno) => isOutage(mysqlError(errno)))).toEqual([false, false, false]);
});

test("a mistake in the code is no outage", () => {
  expect(isOutage(new TypeError("x is not a function"))).toBe(false);
  expect(isOutage("text")).toBe(false);
});
