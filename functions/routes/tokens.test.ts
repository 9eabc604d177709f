import { describe, expect, test } from "vitest";
import type { DeviceId } from "../../shared/ids.ts";
import { execute, select } from "../../shared/db/pool.ts";
import { startGateway } from "../testing/gateway.ts";

const DEVICES = "/api/whatsapp-multi-device/devices";
const TOKENS = "/api/auth/tokens";
const gateway = await startGateway();
const { call, createDevice, database } = gateway;
await createDevice("shop");
await createDevice("desk");

const create = (body: object, question: { token?: string; headers?: Record<string, string> } = {}) =>
  call("POST", TOKENS, { body: { name: "Toko", scopes: ["*"], ...body }, ...question });
const secretOf = (answer: Awaited<ReturnType<typeof create>>) => String(answer.body.data["token"]);
const listed = async (token = gateway.token) =>
  (await call("GET", TOKENS, { token })).body.data["tokens"] as Record<string, unknown>[];

describe("a new token", () => {
  test("is shown once, and only its hash is kept", async () => {
    const answer = await create({ scopes: ["devices:read"] });
    expect(answer.status).toBe(201);
    const token = secretOf(answer);
    expect(token).toMatch(/^wag_[\w-]{43}$/);
    expect(answer.body.data).toMatchObject({
      name: "Toko",
      prefix: token.slice(0, 12),
      deviceIds: null,
      expiresAt: null,
    });
    expect((await call("GET", DEVICES, { token })).status).toBe(200);
    const list = await listed();
    expect(JSON.stringify(list)).not.toContain(token);
    const rows = await select(database.pool, "SELECT * FROM tokens");
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  test("does what its scopes say, and no more", async () => {
    const token = secretOf(await create({ scopes: ["devices:read"] }));
    const answer = await call("POST", DEVICES, { token, body: { deviceId: "more" } });
    expect(answer).toMatchObject({
      status: 403,
      body: { error: { code: "insufficient_scope", details: [{ message: "devices:write" }] } },
    });
  });

  test("for some devices sees no other, and creates no other", async () => {
    const token = secretOf(await create({ deviceIds: ["shop"] }));
    expect((await call("GET", `${DEVICES}/shop`, { token })).status).toBe(200);
    expect((await call("GET", `${DEVICES}/desk`, { token })).status).toBe(404);
    const list = (await call("GET", DEVICES, { token })).body.data["devices"] as object[];
    expect(list).toMatchObject([{ deviceId: "shop" }]);
    const other = await call("POST", DEVICES, { token, body: { deviceId: "another" } });
    expect(other).toMatchObject({ status: 403, body: { error: { code: "forbidden" } } });
  });

  test("is only for devices that its user may use", async () => {
    const token = await gateway.stranger();
    const answer = await create({ deviceIds: ["shop", "nowhere"] }, { token });
    expect(answer).toMatchObject({ status: 404, body: { error: { code: "device_not_found" } } });
    expect(answer.body.error.details).toHaveLength(2);
  });

  test("ends when it is to end", async () => {
    const past = await create({ expiresAt: "2020-01-01T00:00:00Z" });
    expect(past.body.error.details).toEqual([{ path: "body.expiresAt", message: "harus di masa depan" }]);
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const token = secretOf(await create({ expiresAt }));
    expect((await call("GET", "/api/auth/session", { token })).body.data).toMatchObject({
      expiresAt,
      credential: "token",
    });
  });

  test.each([
    [{ name: "" }, "body.name"],
    [{ scopes: [] }, "body.scopes"],
    [{ scopes: ["everything"] }, "body.scopes.0"],
    [{ deviceIds: [] }, "body.deviceIds"],
    [{ expiresAt: "tomorrow" }, "body.expiresAt"],
  ])("with %j is refused", async (body, path) => {
    const answer = await create(body);
    expect(answer).toMatchObject({ status: 400, body: { error: { details: [{ path }] } } });
  });

  test("made by a token can do no more than that one", async () => {
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const maker = await create({ scopes: ["account", "messages:write"], deviceIds: ["shop"], expiresAt });
    const token = secretOf(maker);
    const more = await create({}, { token });
    expect(more).toMatchObject({ status: 403, body: { error: { code: "forbidden" } } });
    const paths = more.body.error.details?.map(({ path }) => path);
    expect(paths).toEqual(["body.scopes", "body.deviceIds", "body.expiresAt"]);
    const asMuch = { scopes: ["messages:write"], deviceIds: ["shop"], expiresAt };
    expect((await create(asMuch, { token })).status).toBe(201);
    const widened = await call("PUT", `${TOKENS}/${String(maker.body.data["tokenId"])}`, {
      token,
      body: { scopes: ["*"] },
    });
    expect(widened.status).toBe(403);
  });

  test("under the same key is the same one, and another body is refused", async () => {
    const headers = { "idempotency-key": "token-1" };
    const answers = await Promise.all(Array.from({ length: 5 }, () => create({ name: "Once" }, { headers })));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(201));
    expect(new Set(answers.map(secretOf)).size).toBe(1);
    expect((await listed()).filter(({ name }) => name === "Once")).toHaveLength(1);
    expect((await create({ name: "Twice" }, { headers })).body.error.code).toBe("idempotency_mismatch");
    const token = await gateway.stranger();
    const other = await create({ name: "Once" }, { headers, token });
    expect(other.status).toBe(201);
    expect(secretOf(other)).not.toBe(secretOf(await create({ name: "Once" }, { headers })));
  });

  test("beyond two hundred is refused", async () => {
    const owner = await gateway.stranger();
    const [row] = await select<{ user_id: string }>(
      database.pool,
      "SELECT user_id FROM tokens WHERE hash = UNHEX(SHA2(?, 256))",
      [owner],
    );
    const values = Array.from(
      { length: 199 },
      (_, n) => `('tok_many_${n}', ?, 'n', 'p', UNHEX(SHA2('many ${n}', 256)))`,
    );
    await execute(
      database.pool,
      `INSERT INTO tokens (token_id, user_id, name, prefix, hash) VALUES ${values.join(",")}`,
      Array.from({ length: 199 }, () => row?.user_id ?? ""),
    );
    expect((await create({}, { token: owner })).body.error.code).toBe("limit_reached");
  });
});

describe("a token", () => {
  test("is changed field by field, and goes on being the same", async () => {
    const made = await create({ scopes: ["devices:read"] });
    const path = `${TOKENS}/${String(made.body.data["tokenId"])}`;
    const renamed = await call("PUT", path, { body: { name: "Kasir" } });
    expect(renamed.body.data).toMatchObject({ name: "Kasir", scopes: ["devices:read"] });
    const narrowed = await call("PUT", path, { body: { deviceIds: ["desk"] } });
    expect(narrowed.body.data).toMatchObject({ name: "Kasir", deviceIds: ["desk"] });
    expect((await call("GET", `${DEVICES}/shop`, { token: secretOf(made) })).status).toBe(404);
  });

  test("that is revoked is refused at once, and gone from the list", async () => {
    const made = await create({});
    const tokenId = String(made.body.data["tokenId"]);
    expect((await call("DELETE", `${TOKENS}/${tokenId}`)).status).toBe(200);
    expect((await call("GET", DEVICES, { token: secretOf(made) })).status).toBe(401);
    expect((await call("DELETE", `${TOKENS}/${tokenId}`)).status).toBe(404);
    expect((await call("PUT", `${TOKENS}/${tokenId}`, { body: { name: "x" } })).status).toBe(404);
    expect((await listed()).map((token) => token["tokenId"])).not.toContain(tokenId);
  });

  test("notes its use, a minute apart", async () => {
    const made = await create({});
    const token = secretOf(made);
    const row = async () =>
      (await listed()).find(({ tokenId }) => tokenId === made.body.data["tokenId"])?.["lastUsedAt"];
    expect(await row()).toBeNull();
    await call("GET", DEVICES, { token });
    const first = await row();
    expect(first).not.toBeNull();
    await call("GET", DEVICES, { token });
    expect(await row()).toBe(first);
    const hash = "hash = UNHEX(SHA2(?, 256))";
    await execute(database.pool, `UPDATE tokens SET last_used_at = NOW(3) - INTERVAL 61 SECOND WHERE ${hash}`, [token]);
    await call("GET", DEVICES, { token });
    expect(Date.parse(String(await row()))).toBeGreaterThan(Date.now() - 30_000);
  });

  test("with the scope to send learns nothing of what is read", async () => {
    const token = await gateway.limited({ scopes: ["messages:write"], deviceIds: ["shop" as DeviceId] });
    const events = await call("GET", "/api/whatsapp-multi-device/events?deviceId=shop", { token });
    expect(events.body.error.code).toBe("insufficient_scope");
  });
});
