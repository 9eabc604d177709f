import { describe, expect, test } from "vitest";
import { openDatabase } from "../shared/db/pool.ts";
import { execute } from "../shared/db/pool.ts";
import type { Database } from "../shared/db/pool.ts";
import type { Log } from "../shared/log.ts";
import { openCommandQueues } from "../shared/queue.ts";
import { newToken } from "../shared/token.ts";
import { createApp } from "./app.ts";
import { allRoutes } from "./areas.ts";
import { openApiDocument } from "./openapi.ts";
import { startGateway } from "./testing/gateway.ts";

const BASE = "/api/whatsapp-multi-device";
const gateway = await startGateway();
const { ask, call, createDevice, services } = gateway;

describe("who calls", () => {
  test.each([
    ["no token", null],
    ["a token that nobody has", newToken()],
    ["something that is no token", "secret"],
    ["a token that is too long", `${newToken()}x`],
  ])("with %s is refused on every route below /api", async (_what, token) => {
    const routes = [
      ["GET", "/devices"],
      ["POST", "/devices"],
      ["GET", "/devices/connected"],
      ["GET", "/devices/a!/status"],
      ["POST", "/devices/abc/connect"],
      ["POST", "/devices/abc/send-message"],
      ["DELETE", "/devices/abc"],
      ["GET", "/events"],
      ["GET", "/commands/cmd_1"],
    ] as const;
    for (const [method, path] of routes) {
      const answer = await call(method, BASE + path, { token });
      expect(answer).toMatchObject({ status: 401, body: { error: { code: "unauthorized" } } });
      expect(answer.headers.get("www-authenticate")).toBe("Bearer");
    }
  });

  test("is known by the token, whatever the case of the scheme", async () => {
    const headers = { authorization: `bEARER ${gateway.token}` };
    expect((await call("GET", `${BASE}/devices`, { token: null, headers })).status).toBe(200);
    const basic = { authorization: `Basic ${gateway.token}` };
    expect((await call("GET", `${BASE}/devices`, { token: null, headers: basic })).status).toBe(401);
  });

  test("is refused once the token has expired or was revoked", async () => {
    const token = await gateway.stranger();
    for (const column of ["expires_at", "revoked_at"]) {
      await execute(services.database.pool, `UPDATE tokens SET ${column} = NOW(3) WHERE hash = UNHEX(SHA2(?, 256))`, [
        token,
      ]);
      expect((await call("GET", `${BASE}/devices`, { token })).status).toBe(401);
      await execute(services.database.pool, `UPDATE tokens SET ${column} = NULL WHERE hash = UNHEX(SHA2(?, 256))`, [
        token,
      ]);
      expect((await call("GET", `${BASE}/devices`, { token })).status).toBe(200);
    }
  });
});

describe("an answer", () => {
  test("has the local time, and speaks Indonesian unless English is preferred", async () => {
    const indonesian = await call("GET", `${BASE}/devices/nowhere`);
    expect(indonesian.body.message).toBe("Device tidak ditemukan");
    expect(indonesian.body.timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    const jakarta = Date.parse(`${indonesian.body.timestamp.replace(" ", "T")}+07:00`);
    expect(Math.abs(jakarta - Date.now())).toBeLessThan(10_000);
    const english = await call("GET", `${BASE}/devices/nowhere`, { headers: { "accept-language": "en-GB,id;q=0.5" } });
    expect(english.body.message).toBe("There is no such device");
  });

  test("keeps a sane request id, and makes one otherwise", async () => {
    const sane = await call("GET", `${BASE}/devices/nowhere`, { headers: { "x-request-id": "order-47_11" } });
    expect(sane.headers.get("x-request-id")).toBe("order-47_11");
    expect(sane.body.requestId).toBe("order-47_11");
    for (const id of ["a b", "x".repeat(65), "<script>"]) {
      const { headers, body } = await call("GET", `${BASE}/nowhere`, { headers: { "x-request-id": id } });
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f]{32}$/);
      expect(body.requestId).toBe(headers.get("x-request-id"));
    }
  });

  test("is for pages of other origins only where the operator says so", async () => {
    const headers = { origin: "https://app.example.com" };
    const closed = await ask("GET", `${BASE}/devices`, { headers });
    expect(closed.headers.get("access-control-allow-origin")).toBeNull();
    const config = { ...services.config, corsOrigins: ["https://app.example.com"] };
    const open = await ask("GET", `${BASE}/devices`, { headers }, { config });
    expect(open.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(open.headers.get("access-control-expose-headers")).toContain("X-Request-Id");
    expect(open.headers.get("access-control-allow-credentials")).toBeNull();
    const other = await ask("GET", `${BASE}/devices`, { headers: { origin: "https://evil.example" } }, { config });
    expect(other.headers.get("access-control-allow-origin")).toBeNull();
    const asking = { ...headers, "access-control-request-method": "POST" };
    const app = createApp({ ...services, config });
    const preflight = await app.request(`${BASE}/devices`, { method: "OPTIONS", headers: asking });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
  });

  test("tells how many requests are left, and is 429 when there are none", async () => {
    const token = await gateway.stranger();
    const app = createApp({ ...services, config: { ...services.config, rateLimitPerMinute: 3 } });
    const request = () => app.request(`${BASE}/devices`, { headers: { authorization: `Bearer ${token}` } });
    const first = await request();
    expect(first.headers.get("ratelimit-policy")).toBe('"minute";q=3;w=60');
    expect(first.headers.get("ratelimit")).toMatch(/^"minute";r=2;t=\d+$/);
    const answers = [await request(), await request(), await request()];
    // A new minute may have begun in between: then there are three more.
    if (answers.every(({ ok }) => ok)) answers.push(await request(), await request());
    const refused = answers.at(-1);
    expect(refused?.status).toBe(429);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused?.headers.get("ratelimit")).toMatch(/^"minute";r=0/);
  });

  test("tells browsers to keep off", async () => {
    for (const path of ["/api/auth/session", "/docs", "/nowhere"]) {
      const { headers } = await ask("GET", path);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
    }
  });

  test("that is asked for again and again is not sent again while it is the same", async () => {
    await createDevice("polled");
    const path = `${BASE}/devices/polled/status`;
    const first = await ask("GET", path);
    const tag = first.headers.get("etag") ?? "";
    expect(first.headers.get("cache-control")).toBe("private, no-cache");
    const unchanged = await ask("GET", path, { headers: { "if-none-match": `"other", ${tag}` } });
    expect([unchanged.status, await unchanged.text()]).toEqual([304, ""]);
    const english = await ask("GET", path, { headers: { "if-none-match": tag, "accept-language": "en" } });
    expect(english.status).toBe(200);
    await execute(services.database.pool, "UPDATE devices SET connection_attempts = 1 WHERE device_id = 'polled'");
    const changed = await ask("GET", path, { headers: { "if-none-match": tag } });
    expect([changed.status, changed.headers.get("etag") === tag]).toEqual([200, false]);
  });

  test("to an unknown path is route_not_found", async () => {
    for (const [method, path] of [
      ["GET", "/"],
      ["GET", `${BASE}/nowhere`],
      ["OPTIONS", `${BASE}/nowhere`],
    ] as const) {
      const answer = await call(method, path);
      expect(answer).toMatchObject({ status: 404, body: { error: { code: "route_not_found" } } });
    }
  });

  test("by a method that the path has not names those that it has", async () => {
    for (const [method, path, allowed] of [
      ["PATCH", "/devices", "GET, POST, HEAD, OPTIONS"],
      ["GET", "/devices/abc/send-message", "POST, OPTIONS"],
      ["PUT", "/scheduled-messages/sch_1", "GET, DELETE, HEAD, OPTIONS"],
    ] as const) {
      const refused = await call(method, BASE + path);
      expect(refused).toMatchObject({ status: 405, body: { error: { code: "method_not_allowed" } } });
      expect(refused.headers.get("allow")).toBe(allowed);
      const options = await createApp(services).request(BASE + path, { method: "OPTIONS" });
      expect([options.status, options.headers.get("allow"), await options.text()]).toEqual([204, allowed, ""]);
    }
  });
});

test("a slash at the end of a path makes no difference", async () => {
  expect((await call("GET", "/health/")).status).toBe(200);
});

test("HEAD is answered as GET, without a body", async () => {
  const response = await createApp(services).request("/health", { method: "HEAD" });
  expect([response.status, await response.text()]).toEqual([200, ""]);
});

test("anybody may read the description, as a document and as a page", async () => {
  const { body } = await call("GET", "/openapi.json", { token: null });
  expect(body).toEqual(JSON.parse(JSON.stringify(openApiDocument(await allRoutes(services.config)))));
  const page = await ask("GET", "/docs", { token: null });
  expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
  expect(await page.text()).toContain("/api/whatsapp-multi-device/devices/{deviceId}/send-message");
});

describe("a body", () => {
  const path = `${BASE}/devices`;
  test.each(["{", "{'deviceId':'abc'}", '{"deviceId":"abc"} x', "undefined"])("of %s is malformed", async (body) => {
    expect(await call("POST", path, { body })).toMatchObject({
      status: 400,
      body: { error: { code: "malformed_json" } },
    });
  });

  test.each(["text/plain", "multipart/form-data; boundary=x", "application/jsonx", ""])(
    "of type %j is refused",
    async (type) => {
      const answer = await call("POST", path, { body: '{"deviceId":"abc"}', headers: { "content-type": type } });
      expect(answer).toMatchObject({ status: 415, body: { error: { code: "unsupported_media_type" } } });
    },
  );

  test.each(["application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json"])(
    "of type %s is read",
    async (type) => {
      const answer = await call("POST", path, { body: "{}", headers: { "content-type": type } });
      expect(answer.body.error.code).toBe("validation_failed");
    },
  );

  test("that is absent has every required field missing", async () => {
    const { body } = await call("POST", path);
    expect(body.error.details).toEqual([{ path: "body.deviceId", message: "wajib diisi" }]);
  });

  test("of more than 256 KiB is refused, and one of 256 KiB is read", async () => {
    const padded = (bytes: number) => `{"x":"${"x".repeat(bytes - 8)}"}`;
    const tooLarge = await call("POST", path, { body: padded(256 * 1024 + 1) });
    expect(tooLarge).toMatchObject({ status: 413, body: { error: { code: "payload_too_large" } } });
    expect((await call("POST", path, { body: padded(256 * 1024) })).status).toBe(400);
  });

  test("may name fields like those of every object", async () => {
    const body = '{"__proto__":{"deviceId":"abc"},"constructor":1,"deviceName":null}';
    const answer = await call("POST", path, { body, headers: { "content-type": "application/json" } });
    expect(answer.body.error.details).toEqual([{ path: "body.deviceId", message: "wajib diisi" }]);
  });
});

describe("an outage", () => {
  test("of the database is 503 with Retry-After, never 500", async () => {
    const database = openDatabase({ url: "mysql://root@127.0.0.1:1/x", poolSize: 1 });
    const answer = await call("GET", `${BASE}/devices`, {}, { database });
    expect(answer).toMatchObject({ status: 503, body: { error: { code: "unavailable" } } });
    expect(answer.headers.get("retry-after")).toBe("5");
    await database.close();
  });

  test("of the queue is 503 for what needs it, while everything else goes on", async () => {
    await createDevice("unqueued");
    const queues = openCommandQueues(services.config.commandQueueUrls.map((url) => `${url}-gone`));
    const answer = await call("POST", `${BASE}/devices/unqueued/connect`, {}, { queues });
    expect(answer).toMatchObject({ status: 503, body: { error: { code: "unavailable" } } });
    const removal = await call("DELETE", `${BASE}/devices/unqueued`, {}, { queues });
    expect(removal.status).toBe(503);
    expect((await call("GET", `${BASE}/devices/unqueued`, {}, { queues })).status).toBe(200);
    queues.close();
  });

  test("that shows as silence is 503, too", async () => {
    const silent = { pool: { execute: () => new Promise(() => undefined) } } as unknown as Database;
    // A request may take ten seconds more than the wait.
    const config = { ...services.config, syncWaitMs: -9_900 };
    const answer = await call("GET", `${BASE}/devices`, {}, { database: silent, config });
    expect(answer).toMatchObject({ status: 503, body: { error: { code: "unavailable" } } });
  });
});

test("a mistake in the code is 500, and the log has it under the request id", async () => {
  const mistake = new TypeError("x is not a function");
  const execute = async () => {
    throw mistake;
  };
  const lines: unknown[] = [];
  const log = { info: () => undefined, error: (line: unknown) => lines.push(line) } as unknown as Log;
  const database = { pool: { execute } } as unknown as Database;
  const answer = await call("GET", `${BASE}/devices`, {}, { database, log });
  expect(answer).toMatchObject({ status: 500, body: { error: { code: "internal" } } });
  expect(JSON.stringify(answer.body)).not.toContain("not a function");
  const { requestId } = answer.body;
  expect(lines).toEqual([{ requestId, traceId: requestId, route: "listDevices", err: mistake }]);
});

test("the access log has ids, status and time, and nothing of the content", async () => {
  const lines: object[] = [];
  const log = { info: (line: object) => lines.push(line), error: () => undefined } as unknown as Log;
  const question = { body: { to: "081234567890", message: "rahasia" }, headers: { "idempotency-key": "kunci" } };
  await call("POST", `${BASE}/devices/nowhere/send-message?secret=1`, question, { log });
  expect(lines).toEqual([
    {
      requestId: expect.any(String),
      traceId: expect.any(String),
      method: "POST",
      route: "sendMessage",
      status: 404,
      ms: expect.any(Number),
      userId: gateway.userId,
      deviceId: "nowhere",
    },
  ]);
});
