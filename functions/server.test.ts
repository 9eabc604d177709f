import { EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { Hono } from "hono";
import { afterEach, expect, test } from "vitest";
import { readBody } from "./read-body.ts";
import { startServer } from "./server.ts";
import type { ApiServer } from "./server.ts";

const MAX_BYTES = 1_000;
const HERE = { bindAddress: "127.0.0.1", port: 0 };
let server: ApiServer | undefined;
afterEach(() => server?.close());

/** Answers a body with its size, or with the code of what is wrong with it. */
const echo = () =>
  new Hono().post("/", async (c) => {
    const body = await readBody(c.req.raw, MAX_BYTES).catch((error: { code: string }) => error.code);
    return c.text(typeof body === "string" ? body : String(JSON.stringify(body).length));
  });

const post = async (url: string, body: BodyInit) => {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", body, headers, duplex: "half" } as RequestInit);
  return await response.text();
};

/** A body without a length in advance. */
const streamed = (chunks: string[]) =>
  new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(chunk));
    },
  });

test("a body is read whether or not it tells its length, and refused when it is too large", async () => {
  server = await startServer(echo(), HERE);
  expect(await post(server.url, '{"a":1}')).toBe("7");
  expect(await post(server.url, streamed(['{"a"', ":1}"]))).toBe("7");
  expect(await post(server.url, `"${"x".repeat(MAX_BYTES)}"`)).toBe("payload_too_large");
  expect(await post(server.url, streamed(Array<string>(20).fill("x".repeat(100))))).toBe("payload_too_large");
});

test("a client that goes on sending a body of 20 MB still gets its refusal", async () => {
  server = await startServer(echo(), HERE);
  expect(await post(server.url, "x".repeat(20_000_000))).toBe("payload_too_large");
});

test("a port that is taken is the system's error", async () => {
  server = await startServer(new Hono(), HERE);
  const port = Number(new URL(server.url).port);
  await expect(startServer(new Hono(), { ...HERE, port })).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("closing lets a request under way finish, and takes no new ones", async () => {
  const handler = new EventEmitter();
  const begun = once(handler, "begun");
  const app = new Hono().get("/", async (c) => {
    handler.emit("begun");
    await once(handler, "go on");
    return c.text("finished");
  });
  const running = await startServer(app, HERE);
  const answer = fetch(running.url);
  await begun;
  const closed = running.close();
  await expect(fetch(running.url)).rejects.toThrow("fetch failed");
  handler.emit("go on");
  expect(await (await answer).text()).toBe("finished");
  const start = performance.now();
  await closed;
  expect(performance.now() - start).toBeLessThan(2_000);
});

test("a client that never ends its headers is cut off", async () => {
  server = await startServer(new Hono(), HERE);
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ");
  const answer = await new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (data) => {
      text += data.toString();
    });
    socket.on("close", () => resolve(text));
  });
  expect(answer).toContain("408 Request Timeout");
});

test("tells a URL that works also when it listens everywhere", async () => {
  const app = new Hono().get("/", (c) => c.text("here"));
  for (const bindAddress of ["0.0.0.0", "127.0.0.1"]) {
    const running = await startServer(app, { bindAddress, port: 0 });
    expect(await (await fetch(running.url)).text()).toBe("here");
    await running.close();
  }
});
