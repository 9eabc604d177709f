import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStorage } from "./storage.ts";
import type { Storage } from "./storage.ts";
import { startTestBucket } from "./testing/test-bucket.ts";

let bucket: Awaited<ReturnType<typeof startTestBucket>>;
let storage: Storage;
beforeAll(async () => {
  bucket = await startTestBucket();
  ({ storage } = bucket);
});
afterAll(() => bucket.end());

test("an object comes back as it was written, and an absent one is undefined", async () => {
  const body = Buffer.from([0, 255, 10, 13]);
  expect(await storage.createIfAbsent("plain", body)).toBe("created");
  expect((await storage.get("plain"))?.body).toEqual(body);
  expect(await storage.get("absent")).toBeUndefined();
});

test("of many that create the same object at once exactly one does", async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, writer) => storage.createIfAbsent("raced", Buffer.from(String(writer)))),
  );
  expect(outcomes.filter((outcome) => outcome === "created")).toHaveLength(1);
});

test("what is written and read at the same time does not get mixed up", async () => {
  const names = Array.from({ length: 20 }, (_, n) => `beside/${n}`);
  await Promise.all(names.map((name) => storage.createIfAbsent(name, Buffer.from(name))));
  const read = await Promise.all(names.map((name) => storage.get(name)));
  expect(read.map((object) => object?.body.toString())).toEqual(names);
});

test("only the version that was read is replaced", async () => {
  const first = await storage.replaceIf("head", Buffer.from("1"), undefined);
  if (first === "changed") throw new Error("the object was there before");
  expect(await storage.replaceIf("head", Buffer.from("2"), undefined)).toBe("changed");
  const second = await storage.replaceIf("head", Buffer.from("2"), first.etag);
  expect(second).not.toBe("changed");
  expect(await storage.replaceIf("head", Buffer.from("3"), first.etag)).toBe("changed");
  expect((await storage.get("head"))?.body.toString()).toBe("2");
});

test("replacing an object that is not there is refused, not an error", async () => {
  expect(await storage.replaceIf("gone", Buffer.from("1"), '"0123456789abcdef0123456789abcdef"')).toBe("changed");
});

test("a listing has every page, in order, after the given key", async () => {
  const names = Array.from({ length: 1_005 }, (_, index) => `list/${String(index).padStart(4, "0")}`);
  // Some at a time: a busy machine cannot open a hundred connections within the time that one may take.
  for (let at = 0; at < names.length; at += 10) {
    await Promise.all(names.slice(at, at + 10).map((name) => storage.createIfAbsent(name, Buffer.from("x"))));
  }
  expect(await storage.list("list/")).toEqual(names);
  expect(await storage.list("list/", "list/0999")).toEqual(names.slice(1_000));
  expect((await storage.listSized("list/")).at(-1)).toEqual({ key: "list/1004", bytes: 1 });
  await storage.delete(names);
  expect(await storage.list("list/")).toEqual([]);
}, 60_000);

test("deleting nothing, or what is not there, is no error", async () => {
  await expect(storage.delete([])).resolves.toBeUndefined();
  await expect(storage.delete(["never-was"])).resolves.toBeUndefined();
});

test("the self-test accepts a bucket that keeps the conditions, and leaves nothing behind", async () => {
  await storage.selfTest();
  expect(await storage.list("self-test/")).toEqual([]);
});

test.each(["if-none-match", "if-match"])("the self-test refuses a bucket that ignores %s", async (ignored) => {
  let stored = "";
  const etag = () => `"${Buffer.from(stored).toString("hex").padStart(32, "0")}"`;
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const sent = (await request.toArray()).join("");
    const { "if-none-match": none, "if-match": match } = request.headers;
    const isRefused =
      (stored && none && ignored !== "if-none-match") || (match && match !== etag() && ignored !== "if-match");
    if (isRefused) return void response.writeHead(412).end();
    if (request.method === "PUT") stored = sent;
    response.writeHead(200, { etag: etag() }).end(stored);
  }
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const endpoint = process.env["AWS_ENDPOINT_URL_S3"];
  process.env["AWS_ENDPOINT_URL_S3"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const careless = openStorage("careless");
  const named = ignored === "if-match" ? "If-Match" : "If-None-Match";
  await expect(careless.selfTest()).rejects.toThrow(`bucket careless cannot hold device state: it ignores ${named}`);
  careless.close();
  server.close();
  process.env["AWS_ENDPOINT_URL_S3"] = endpoint;
});
