import { describe, expect, test } from "vitest";
import { execute, select } from "../../shared/db/pool.ts";
import type { UserId } from "../../shared/ids.ts";
import * as users from "../../shared/db/users.ts";
import { startGateway } from "../testing/gateway.ts";

const DEVICES = "/api/whatsapp-multi-device/devices";
const USERS = "/api/auth/users";
const PASSWORD = "correct horse battery";
const gateway = await startGateway();
const { call, createDevice, database } = gateway;
await users.update(database, gateway.userId, { role: "admin" });

const create = (body: object, headers: Record<string, string> = {}) =>
  call("POST", USERS, { body: { password: PASSWORD, ...body }, headers });
const change = (userId: string, body: object) => call("PUT", `${USERS}/${userId}`, { body });
const idOf = (answer: Awaited<ReturnType<typeof create>>) => String(answer.body.data["userId"]) as UserId;
const login = (username: string, password = PASSWORD) =>
  call("POST", "/api/auth/login", { token: null, body: { username, password } });

describe("an administrator", () => {
  test("creates users, who can log in", async () => {
    const made = await create({ username: "ani" });
    expect(made).toMatchObject({ status: 201, body: { data: { username: "ani", role: "user", isDisabled: false } } });
    expect((await login("ani")).status).toBe(200);
    expect((await create({ username: "ANI" })).body.error.code).toBe("username_taken");
    const list = await call("GET", `${USERS}?pageSize=1&page=2`);
    expect(list.body.data).toMatchObject({
      users: [{ username: "ani" }],
      pagination: { page: 2, pageSize: 1, total: 2, totalPages: 2 },
    });
  });

  test("creates a user once under a key", async () => {
    const headers = { "idempotency-key": "user-1" };
    const first = await create({ username: "once" }, headers);
    const again = await create({ username: "once" }, headers);
    expect([again.status, idOf(again)]).toEqual([201, idOf(first)]);
    expect((await create({ username: "twice" }, headers)).body.error.code).toBe("idempotency_mismatch");
  });

  test.each([
    [{ username: "a b" }, "body.username"],
    [{ username: "short", password: "elevenchars" }, "body.password"],
    [{ username: "king", role: "king" }, "body.role"],
  ])("cannot create %j", async (body, path) => {
    expect(await create(body)).toMatchObject({ status: 400, body: { error: { details: [{ path }] } } });
  });

  test("gives a user a new password, which ends their logins", async () => {
    const userId = idOf(await create({ username: "forgetful" }));
    const cookie = ((await login("forgetful")).headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    expect((await change(userId, { password: "staple the horse" })).status).toBe(200);
    expect((await login("forgetful", "staple the horse")).status).toBe(200);
    expect((await call("GET", "/api/auth/session", { token: null, headers: { cookie } })).status).toBe(401);
  });

  test("disables a user and enables them again", async () => {
    const userId = idOf(await create({ username: "paused" }));
    const token = await gateway.limited({}, userId);
    expect((await change(userId, { isDisabled: true })).body.data["isDisabled"]).toBe(true);
    expect((await call("GET", DEVICES, { token })).status).toBe(401);
    await change(userId, { isDisabled: false });
    expect((await call("GET", DEVICES, { token })).status).toBe(200);
  });

  test("cannot leave the installation without one", async () => {
    for (const answer of [
      await change(gateway.userId, { role: "user" }),
      await change(gateway.userId, { isDisabled: true }),
      await call("DELETE", `${USERS}/${gateway.userId}`),
    ]) {
      expect(answer).toMatchObject({ status: 409, body: { error: { code: "last_admin" } } });
    }
  });

  test("two of whom remove each other at once, one stays", async () => {
    const second = idOf(await create({ username: "second-admin", role: "admin" }));
    const outcomes = await Promise.all([
      users.update(database, gateway.userId, { role: "user" }),
      users.update(database, second, { role: "user" }),
    ]);
    expect(outcomes.toSorted()).toEqual(["last_admin", "updated"]);
    await users.update(database, gateway.userId, { role: "admin" });
    await users.update(database, second, { role: "user" });
  });

  test("removes a user with their tokens, but not while they have devices", async () => {
    const userId = idOf(await create({ username: "owner" }));
    const token = await gateway.limited({}, userId);
    await call("POST", DEVICES, { token, body: { deviceId: "owned" } });
    expect((await call("DELETE", `${USERS}/${userId}`)).body.error.code).toBe("user_has_devices");
    const config = { ...gateway.services.config, syncWaitMs: 50 };
    expect((await call("DELETE", `${DEVICES}/owned`, {}, { config })).status).toBe(200);
    expect((await call("DELETE", `${USERS}/${userId}`)).status).toBe(200);
    expect((await call("GET", DEVICES, { token })).status).toBe(401);
    expect((await call("DELETE", `${USERS}/${userId}`)).body.error.code).toBe("user_not_found");
  });

  test("sees and uses every device", async () => {
    const token = await gateway.stranger();
    await call("POST", DEVICES, { token, body: { deviceId: "of-somebody" } });
    expect((await call("GET", `${DEVICES}/of-somebody`)).status).toBe(200);
    const list = (await call("GET", DEVICES)).body.data["devices"] as object[];
    expect(list).toContainEqual(expect.objectContaining({ deviceId: "of-somebody" }));
  });
});

describe("a device that was given", () => {
  test("is seen and used like one's own, but not removed, until it is taken back", async () => {
    await createDevice("lent");
    const userId = idOf(await create({ username: "borrower" }));
    const token = await gateway.limited({}, userId);
    const give = (deviceIds: string[]) => call("PUT", `${USERS}/${userId}/devices`, { body: { deviceIds } });
    expect((await call("GET", `${DEVICES}/lent`, { token })).status).toBe(404);

    const given = await give(["lent"]);
    expect(given.body.data["devices"]).toMatchObject([{ deviceId: "lent", givenBy: gateway.userId }]);
    expect((await call("GET", `${DEVICES}/lent`, { token })).status).toBe(200);
    expect((await call("GET", DEVICES, { token })).body.data["devices"]).toMatchObject([{ deviceId: "lent" }]);
    expect((await call("DELETE", `${DEVICES}/lent`, { token })).body.error.code).toBe("forbidden");

    expect((await give([])).body.data["devices"]).toEqual([]);
    expect((await call("GET", `${DEVICES}/lent`, { token })).status).toBe(404);
  });

  test("must be there, and its user too", async () => {
    const userId = idOf(await create({ username: "wisher" }));
    const body = { deviceIds: ["nowhere"] };
    expect((await call("PUT", `${USERS}/${userId}/devices`, { body })).body.error.code).toBe("device_not_found");
    expect((await call("PUT", `${USERS}/usr_0/devices`, { body })).body.error.code).toBe("user_not_found");
  });

  test("has commands and idempotency keys of each user's own", async () => {
    await createDevice("shared");
    const userId = idOf(await create({ username: "partner" }));
    const token = await gateway.limited({}, userId);
    await call("PUT", `${USERS}/${userId}/devices`, { body: { deviceIds: ["shared"] } });
    await execute(
      database.pool,
      "UPDATE devices SET desired = 'connected', phone_number = '628111', status = 'connecting' WHERE device_id = 'shared'",
    );
    await execute(database.pool, "INSERT IGNORE INTO shard_leases (shard, expires_at) VALUES (0, NOW()), (1, NOW())");
    const send = (message: string, question: { token?: string }) =>
      call("POST", `${DEVICES}/shared/send-message`, {
        body: { to: "081234567890", message },
        headers: { "idempotency-key": "order-1", prefer: "respond-async" },
        ...question,
      });
    const mine = await send("Halo", {});
    const theirs = await send("Hai", { token });
    expect([mine.status, theirs.status]).toEqual([202, 202]);
    expect(mine.body.data["commandId"]).not.toBe(theirs.body.data["commandId"]);
    const path = `/api/whatsapp-multi-device/commands/${String(mine.body.data["commandId"])}`;
    expect((await call("GET", path, { token })).status).toBe(200);
    await call("PUT", `${USERS}/${userId}/devices`, { body: { deviceIds: [] } });
    expect((await call("GET", path, { token })).status).toBe(404);
  });
});

test("what an earlier device of the same id recorded is not told to whoever creates it anew", async () => {
  const first = await gateway.stranger();
  const config = { ...gateway.services.config, syncWaitMs: 50 };
  const body = { deviceId: "reused" };
  await call("POST", DEVICES, { token: first, body });
  await execute(
    database.pool,
    "INSERT INTO events (device_id, sequence, event_id, type, occurred_at, data) VALUES ('reused', 1, 'evt_old', 'device.status', NOW(3), ?)",
    [JSON.stringify({ status: "connected", reason: null, phoneNumber: "628111" })],
  );
  const removed = await call("DELETE", `${DEVICES}/reused`, { token: first }, { config });
  expect(removed.status).toBe(200);
  const second = await gateway.stranger();
  expect((await call("POST", DEVICES, { token: second, body })).status).toBe(201);
  const { data } = (await call("GET", "/api/whatsapp-multi-device/events?deviceId=reused", { token: second })).body;
  expect(data["events"]).toEqual([]);
  const sql = "SELECT last_sequence FROM devices WHERE device_id = ?";
  expect(await select(database.pool, sql, ["reused"])).toEqual([{ last_sequence: 1 }]);
  // Also when the events of those before have expired.
  await call("DELETE", `${DEVICES}/reused`, { token: second }, { config });
  await execute(database.pool, "DELETE FROM events WHERE device_id = 'reused'");
  expect((await call("POST", DEVICES, { token: second, body })).status).toBe(201);
  expect(await select(database.pool, sql, ["reused"])).toEqual([{ last_sequence: 1 }]);
  const commands = await select<{ command_id: string }>(
    database.pool,
    "SELECT command_id FROM commands WHERE device_id = 'reused'",
  );
  const path = `/api/whatsapp-multi-device/commands/${commands[0]?.command_id}`;
  expect((await call("GET", path, { token: first })).status).toBe(200);
  expect((await call("GET", path, { token: second })).status).toBe(404);
});

test("the audit log tells who changed what, newest first, page by page", async () => {
  const made = await create({ username: "noted" }, { "x-request-id": "audit-1" });
  await call("DELETE", `${USERS}/${idOf(made)}`);
  const first = await call("GET", "/api/auth/audit?limit=1");
  expect(first.body.data).toMatchObject({
    hasMore: true,
    entries: [{ action: "user.remove", target: idOf(made), userId: gateway.userId }],
  });
  const [entry] = first.body.data["entries"] as { entryId: number }[];
  const next = await call("GET", `/api/auth/audit?limit=1&before=${entry?.entryId}`);
  expect(next.body.data["entries"]).toMatchObject([
    { action: "user.create", target: idOf(made), requestId: "audit-1" },
  ]);
  expect(JSON.stringify(await select(database.pool, "SELECT * FROM audit_log"))).not.toContain(PASSWORD);
});
