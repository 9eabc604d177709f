import { describe, expect, test } from "vitest";
import * as users from "../../shared/db/users.ts";
import { execute, select } from "../../shared/db/pool.ts";
import { newUserId } from "../../shared/ids.ts";
import { hashPassword } from "../../shared/password.ts";
import { cheapHash } from "../testing/cheap-hash.ts";
import { startGateway } from "../testing/gateway.ts";

const DEVICES = "/api/whatsapp-multi-device/devices";
const PASSWORD = "correct horse battery";
const OWN_PAGE = { "sec-fetch-site": "same-origin" };
const gateway = await startGateway();
const { call, database } = gateway;

async function person(username: string, passwordHash = cheapHash(PASSWORD)) {
  const userId = newUserId();
  await users.create(database, { userId, username, role: "user", passwordHash });
  return userId;
}
const from = (address: string) => ({ incoming: { socket: { remoteAddress: address } } });
const login = (
  username: string,
  password = PASSWORD,
  more: { headers?: Record<string, string>; bindings?: object } = {},
) => call("POST", "/api/auth/login", { token: null, body: { username, password }, ...more });
const cookieOf = (headers: Headers) => (headers.get("set-cookie") ?? "").split(";")[0] ?? "";
const asBrowser = (cookie: string, more: Record<string, string> = OWN_PAGE) => ({
  token: null,
  headers: { cookie, ...more },
});
const isValid = async (cookie: string) => (await call("GET", "/api/auth/session", asBrowser(cookie))).status === 200;

describe("logging in", () => {
  test("gives a cookie that no script can read, and that calls every route", async () => {
    const userId = await person("ani");
    const { status, headers, body } = await login("ANI");
    expect(status).toBe(200);
    expect(body.data["user"]).toMatchObject({ userId, username: "ani", role: "user" });
    expect(headers.get("set-cookie")).toMatch(/^gateway=[\w-]{43}; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/);
    const cookie = cookieOf(headers);
    const session = await call("GET", "/api/auth/session", asBrowser(cookie));
    expect(session.body.data).toMatchObject({ credential: "login", scopes: ["*"], deviceIds: null, user: { userId } });
    const created = await call("POST", DEVICES, { ...asBrowser(cookie), body: { deviceId: "of-ani" } });
    expect(created.status).toBe(201);
  });

  test("over HTTPS gives a cookie for HTTPS and this host only", async () => {
    await person("tls");
    const bindings = { requestContext: { http: { sourceIp: "203.0.113.1" } } };
    const { headers } = await login("tls", PASSWORD, { bindings });
    expect(headers.get("set-cookie")).toMatch(/^__Host-gateway=[\w-]{43}; .*Secure/);
    expect((await call("GET", "/api/auth/session", { ...asBrowser(cookieOf(headers)), bindings })).status).toBe(200);
    expect((await call("GET", "/api/auth/session", asBrowser(cookieOf(headers)))).status).toBe(401);
  });

  test("with a wrong name and with a wrong password are the same answer, and take as long", async () => {
    await person("budi", await hashPassword(PASSWORD));
    const timed = async (username: string) => {
      const start = performance.now();
      const answer = await login(username, "wrong password");
      expect(answer).toMatchObject({ status: 401, body: { error: { code: "login_failed" } } });
      return performance.now() - start;
    };
    const known = await timed("budi");
    const unknown = await timed("nobody");
    // One scrypt takes some hundred milliseconds; without one the answer comes within a few.
    expect(unknown / known).toBeGreaterThan(0.3);
  });

  test("a disabled user cannot, and what they have is not valid any more", async () => {
    const userId = await person("disabled");
    const cookie = cookieOf((await login("disabled")).headers);
    const token = await gateway.limited({}, userId);
    await users.update(database, userId, { isDisabled: true });
    expect(await isValid(cookie)).toBe(false);
    expect((await call("GET", DEVICES, { token })).status).toBe(401);
    expect((await login("disabled")).body.error.code).toBe("login_failed");
  });

  test("anew ends the login that the browser had", async () => {
    await person("again");
    const first = cookieOf((await login("again")).headers);
    const second = cookieOf((await login("again", PASSWORD, { headers: { cookie: first } })).headers);
    expect([await isValid(first), await isValid(second)]).toEqual([false, true]);
  });

  test("from a page of another site is refused", async () => {
    await person("lured");
    for (const headers of [
      { "sec-fetch-site": "cross-site" },
      { origin: "https://evil.example" },
      { origin: "null" },
    ]) {
      const answer = await login("lured", PASSWORD, { headers });
      expect(answer).toMatchObject({ status: 403, body: { error: { code: "cross_site" } } });
    }
  });

  test("the cookie is worth nothing without the installation's secret", async () => {
    await person("keyed");
    const cookie = cookieOf((await login("keyed")).headers);
    const config = { ...gateway.services.config, sessionSecret: "another secret of this installation" };
    expect((await call("GET", "/api/auth/session", asBrowser(cookie), { config })).status).toBe(401);
  });
});

describe("a login", () => {
  test.each([
    ["unused for half a day", "used_at = NOW(3) - INTERVAL 13 HOUR"],
    ["a week old", "expires_at = NOW(3)"],
  ])("that is %s has ended", async (what, change) => {
    const userId = await person(what.replaceAll(" ", "-"));
    const cookie = cookieOf((await login(what.replaceAll(" ", "-"))).headers);
    expect(await isValid(cookie)).toBe(true);
    await execute(database.pool, `UPDATE logins SET ${change} WHERE user_id = ?`, [userId]);
    expect(await isValid(cookie)).toBe(false);
  });

  test("ends with logging out", async () => {
    await person("leaver");
    const cookie = cookieOf((await login("leaver")).headers);
    const { status, headers } = await call("POST", "/api/auth/logout", asBrowser(cookie));
    expect(status).toBe(200);
    expect(headers.get("set-cookie")).toMatch(/^gateway=; Max-Age=0;/);
    expect(await isValid(cookie)).toBe(false);
  });

  test("writes only from a page of this server", async () => {
    await person("clicker");
    const cookie = cookieOf((await login("clicker")).headers);
    const write = async (headers: Record<string, string>) =>
      (await call("POST", DEVICES, { ...asBrowser(cookie, headers), body: { deviceId: "x!" } })).body.error.code;
    for (const headers of [
      {},
      { "sec-fetch-site": "same-site" },
      { origin: "http://evil.example", host: "gw.example" },
    ]) {
      expect(await write(headers)).toBe("cross_site");
    }
    for (const headers of [OWN_PAGE, { origin: "http://gw.example", host: "gw.example" }]) {
      expect(await write(headers)).toBe("validation_failed");
    }
  });

  test("is not looked at when there is a token", async () => {
    await person("both");
    const cookie = cookieOf((await login("both")).headers);
    const headers = { cookie, ...OWN_PAGE, authorization: "Bearer wag_wrong" };
    expect((await call("GET", DEVICES, { token: null, headers })).status).toBe(401);
  });
});

describe("the password", () => {
  const change = (cookie: string, currentPassword: string, newPassword: string) =>
    call("PUT", "/api/auth/password", { ...asBrowser(cookie), body: { currentPassword, newPassword } });

  test("is changed with the current one, and every other login ends", async () => {
    await person("changer");
    const other = cookieOf((await login("changer")).headers);
    const mine = cookieOf((await login("changer")).headers);
    expect((await change(mine, "wrong password", "staple the horse")).body.error.code).toBe("wrong_password");
    expect((await change(mine, PASSWORD, "short")).status).toBe(400);
    expect((await change(mine, PASSWORD, "staple the horse")).status).toBe(200);
    expect([await isValid(other), await isValid(mine)]).toEqual([false, true]);
    expect((await login("changer")).status).toBe(401);
    expect((await login("changer", "staple the horse")).status).toBe(200);
  });

  test("can be tried ten times from one place, and others can still log in", async () => {
    await person("target");
    const attacker = { bindings: from("203.0.113.9") };
    await execute(database.pool, "DELETE FROM password_attempts");
    for (let tries = 1; tries <= 10; tries++) {
      expect((await login("target", "wrong password", attacker)).status).toBe(401);
    }
    const refused = await login("target", PASSWORD, attacker);
    expect(refused).toMatchObject({ status: 429, body: { error: { code: "too_many_requests" } } });
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(800);
    expect((await login("target", PASSWORD, { bindings: from("203.0.113.10") })).status).toBe(200);
    await execute(database.pool, "UPDATE password_attempts SET ends_at = NOW(3)");
    expect((await login("target", PASSWORD, attacker)).status).toBe(200);
  });

  test("of anybody can be tried a hundred times from one place, of IPv6 from one network", async () => {
    await person("sprayed");
    await execute(database.pool, "DELETE FROM password_attempts");
    await login("nobody-1", "wrong password", { bindings: from("2001:db8:1:1::1") });
    await execute(database.pool, "UPDATE password_attempts SET attempts = 100");
    expect((await login("nobody-2", PASSWORD, { bindings: from("2001:db8:1:1::2") })).status).toBe(429);
    expect((await login("sprayed", PASSWORD, { bindings: from("2001:db8:1:2::1") })).status).toBe(200);
    // Those who are turned away leave no row of their own.
    expect(await select(database.pool, "SELECT 1 FROM password_attempts")).toHaveLength(3);
  });
});

test("what nobody can use any more goes with the next login", async () => {
  const userId = await person("tidy");
  await login("tidy");
  await execute(database.pool, "UPDATE logins SET expires_at = NOW(3) WHERE user_id = ?", [userId]);
  await execute(database.pool, "UPDATE password_attempts SET ends_at = NOW(3)");
  await execute(database.pool, "INSERT INTO request_counts VALUES ('tok_old', 1, 1)");
  await execute(database.pool, "UPDATE audit_log SET occurred_at = NOW(3) - INTERVAL 366 DAY");
  await login("tidy");
  expect(await select(database.pool, "SELECT 1 FROM logins WHERE user_id = ?", [userId])).toHaveLength(1);
  expect(await select(database.pool, "SELECT 1 FROM audit_log")).toHaveLength(1);
  expect(await select(database.pool, "SELECT 1 FROM password_attempts WHERE ends_at <= NOW(3)")).toEqual([]);
  expect(await select(database.pool, "SELECT 1 FROM request_counts")).toEqual([]);
});

test("logins are in the audit log, those that failed too, without what was typed", async () => {
  const userId = await person("audited");
  await login("audited", PASSWORD, { bindings: from("203.0.113.20"), headers: { "x-request-id": "login-1" } });
  await login("audited", "wrong password");
  await login("my secret password", "ups");
  const sql = "SELECT user_id, action, address, request_id FROM audit_log ORDER BY entry_id DESC LIMIT 3";
  const rows = await select<Record<string, unknown>>(database.pool, sql);
  expect(rows).toEqual([
    expect.objectContaining({ user_id: null, action: "login.failed" }),
    expect.objectContaining({ user_id: userId, action: "login.failed" }),
    { user_id: userId, action: "login", address: "203.0.113.20", request_id: "login-1" },
  ]);
});
