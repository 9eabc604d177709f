/**
 * The authorization matrix: every route and everybody who may or may not call it. A route below a device, for
 * administrators or for anybody needs no row here; every other one does, or the first test fails.
 */
import { expect, test } from "vitest";
import * as z from "zod";
import * as chatbots from "../shared/db/chatbots.ts";
import * as commands from "../shared/db/commands.ts";
import * as deliveries from "../shared/db/deliveries.ts";
import * as deviceGrants from "../shared/db/device-grants.ts";
import * as devices from "../shared/db/devices.ts";
import * as jobs from "../shared/db/jobs.ts";
import { execute } from "../shared/db/pool.ts";
import * as allowedNumbers from "../shared/db/allowed-numbers.ts";
import * as sessions from "../shared/db/sessions.ts";
import * as schedules from "../shared/db/schedules.ts";
import * as tokens from "../shared/db/tokens.ts";
import * as userLogins from "../shared/db/user-logins.ts";
import * as users from "../shared/db/users.ts";
import * as webhooks from "../shared/db/webhooks.ts";
import type { ErrorCode } from "../shared/errors.ts";
import { newCommandId, newJobId, newScheduleId, newTokenId, newUserId, newWebhookId } from "../shared/ids.ts";
import type { DeviceId, UserId } from "../shared/ids.ts";
import { seal } from "../shared/sealed.ts";
import { EVERY_SCOPE, SCOPES } from "../shared/scopes.ts";
import { newToken, tokenHash, tokenPrefix } from "../shared/token.ts";
import { allRoutes } from "./areas.ts";
import { loginHash, newLoginCookie } from "./login-cookie.ts";
import type { Route } from "./route.ts";
import { cheapHash } from "./testing/cheap-hash.ts";
import { startGateway } from "./testing/gateway.ts";

const gateway = await startGateway({ SYNC_WAIT_MS: "20", RATE_LIMIT_PER_MINUTE: "0" });
const { database } = gateway;
const routes = await allRoutes(gateway.services.config);

type Thing = { deviceId: DeviceId; owner: UserId };
type Outcome = ErrorCode | "allowed";
type Row = {
  /** `device`: it is about a device, or a row of one. `user`: about what is the caller's alone. `caller`: about nobody else. */
  of: "device" | "user" | "caller";
  /** What is answered to those to whom it does not belong. */
  notFound?: ErrorCode;
  /** Makes what the route is about, and tells how to ask for it. */
  ask?: (
    thing: Thing,
  ) => Promise<Partial<{ params: Record<string, string>; query: Record<string, string>; body: object }>>;
  /** Where an answer is another than `of` means. */
  but?: Partial<Record<Column, Outcome>>;
};

const token = async ({ owner }: Thing) => {
  const tokenId = newTokenId();
  const secret = newToken();
  const rights = { scopes: [EVERY_SCOPE] as const, deviceIds: null, expiresAt: null };
  const row = { tokenId, userId: owner, name: "n", prefix: tokenPrefix(secret), hash: tokenHash(secret), ...rights };
  await tokens.create(database, row);
  return { params: { id: tokenId } };
};
const command = async ({ deviceId, owner }: Thing) => {
  const commandId = newCommandId();
  const payload = { kind: "connect" as const };
  await commands.create(database, { commandId, deviceId, userId: owner, payload, messageId: null });
  return { params: { commandId } };
};
const job = async ({ deviceId, owner }: Thing) => {
  const jobId = newJobId();
  const items = [{ kind: "send-text" as const, to: "6281234567890@s.whatsapp.net", text: "Halo" }];
  await jobs.create(database, { jobId, deviceId, userId: owner, type: "send-text", delayMs: 0, items });
  return { params: { jobId } };
};
/** A number for each device. */
const numberOf = ({ deviceId }: Thing) => `6281${String(made).padStart(3, "0")}${deviceId.length}00000`;
const session = async (thing: Thing) => {
  const { deviceId, owner: userId } = thing;
  const link = { deviceId, userId, number: numberOf(thing) };
  const id = String((await sessions.idsOf(database.pool, [link])).get(deviceId));
  return { params: { id, session_id: id }, query: { session_id: id } };
};
const allowedNumber = async (thing: Thing) => {
  const { query } = await session(thing);
  const number = { userId: thing.owner, whatsappNumber: numberOf(thing) };
  await allowedNumbers.create(database, { ...number, sessionId: Number(query.session_id), status: "aktif" });
  const { allowedId } = (await allowedNumbers.find(database, number)) ?? {};
  return { params: { id: String(allowedId) }, body: { status: "nonaktif" } };
};
const schedule = async ({ deviceId, owner }: Thing) => {
  const scheduleId = newScheduleId();
  const payload = { kind: "send-text" as const, to: "6281234567890@s.whatsapp.net", text: "Halo" };
  const dueAt = new Date(Date.now() + 3_600_000);
  const when = { wallTime: "2027-01-01 12:00:00", timeZone: "UTC", dueAt };
  await schedules.create(database, { scheduleId, deviceId, userId: owner, payload, ...when });
  return { params: { id: scheduleId } };
};
const webhook = async ({ deviceId, owner: userId }: Thing) => {
  const webhookId = newWebhookId();
  const settings = { url: "https://shop.example.com/", description: null, headers: null, isOrdered: false };
  const secret = seal("whsec_", gateway.services.config.webhookKey, webhookId);
  const about = { eventTypes: ["*" as const], deviceIds: [deviceId] };
  await webhooks.create(database, { webhookId, userId, ...settings, ...about, secret });
  return { params: { id: webhookId } };
};
const delivery = async (thing: Thing) => {
  const { params } = await webhook(thing);
  return { params: { id: String(await deliveries.createTest(database, params.id)) } };
};
const chatbot = async (thing: Thing) => {
  const { query } = await session(thing);
  const found = await sessions.get(
    database,
    { userId: thing.owner, role: "admin", deviceIds: null },
    Number(query.session_id),
  );
  if (!found) throw new Error("no session");
  const about = { sessionId: found.sessionId, senderNumber: "6289876543210" };
  await chatbots.create(database, { ...about, session: found, status: "aktif" });
  const { chatbotId } = (await chatbots.find(database, about)) ?? {};
  return { params: { id: String(chatbotId) }, body: { status: "nonaktif" } };
};
/** A webhook is its user's alone, and for some devices only those whose token is for them see it. */
const WEBHOOK: Row = {
  of: "user",
  notFound: "webhook_not_found",
  ask: webhook,
  but: { "owner, token for another device": "webhook_not_found" },
};
const OTHER_DEVICES = {
  "owner, token for another device": "forbidden",
  "admin, token for another device": "forbidden",
} as const;

const ROWS: Record<string, Row> = {
  login: { of: "caller", but: { "owner, login from another site": "cross_site" } },
  logout: { of: "caller" },
  getSession: { of: "caller" },
  changePassword: { of: "caller" },
  listTokens: { of: "caller" },
  createToken: {
    of: "device",
    ask: async ({ deviceId }) => ({ body: { name: "Toko", scopes: ["messages:write"], deviceIds: [deviceId] } }),
    but: OTHER_DEVICES,
  },
  changeToken: {
    of: "user",
    notFound: "token_not_found",
    ask: token,
    but: { "owner, token for another device": "forbidden" },
  },
  revokeToken: { of: "user", notFound: "token_not_found", ask: token },
  listWebhooks: { of: "caller" },
  createWebhook: {
    of: "device",
    ask: async ({ deviceId }) => ({ body: { url: "https://a.example/", events: ["*"], deviceIds: [deviceId] } }),
    but: OTHER_DEVICES,
  },
  getWebhook: WEBHOOK,
  changeWebhook: WEBHOOK,
  removeWebhook: WEBHOOK,
  rotateWebhookSecret: WEBHOOK,
  listDeliveries: WEBHOOK,
  testWebhook: WEBHOOK,
  replayEvents: WEBHOOK,
  redeliver: {
    of: "user",
    notFound: "delivery_not_found",
    ask: delivery,
    but: { "owner, token for another device": "delivery_not_found" },
  },
  listChatbots: { of: "caller" },
  addChatbot: {
    of: "device",
    notFound: "session_not_found",
    ask: async (thing) => {
      const { query } = await session(thing);
      return { body: { sender_number: "6289876543210", status: "aktif", session_id: Number(query.session_id) } };
    },
  },
  setChatbotStatus: { of: "device", notFound: "chatbot_not_found", ask: chatbot },
  removeChatbot: { of: "device", notFound: "chatbot_not_found", ask: chatbot },
  setChatbotEndpoint: {
    of: "device",
    notFound: "session_not_found",
    ask: async (thing) => {
      await session(thing);
      return { params: { whatsapp_number: numberOf(thing) } };
    },
  },
  createDevice: { of: "caller", but: OTHER_DEVICES },
  listDevices: { of: "caller" },
  listConnectedDevices: { of: "caller" },
  listConnectedDevicesInDetail: { of: "caller" },
  removeDevice: { of: "device", but: { "user to whom the device was given": "forbidden" } },
  restoreSessions: { of: "caller" },
  // A stranger's own sessions are looked through: there is none of that id, which only a host can tell.
  restoreSession: { of: "device", but: { stranger: "allowed" } },
  getChatHistory: { of: "device", ask: async () => ({ params: { jid: "081234567890" } }) },
  getWhatsAppSession: { of: "device", notFound: "session_not_found", ask: session },
  listSessionsOfUser: { of: "caller" },
  setSessionNote: { of: "device", notFound: "session_not_found", ask: session },
  listGroupLinks: { of: "device", notFound: "session_not_found", ask: session },
  listAllowedNumbers: { of: "caller" },
  addAllowedNumber: {
    of: "device",
    notFound: "session_not_found",
    ask: async (thing) => {
      const { query } = await session(thing);
      return { body: { whatsapp_number: numberOf(thing), session_id: Number(query.session_id) } };
    },
  },
  setAllowedNumberStatus: { of: "device", notFound: "allowed_number_not_found", ask: allowedNumber },
  removeAllowedNumber: { of: "device", notFound: "allowed_number_not_found", ask: allowedNumber },
  getMessageStats: { of: "device", notFound: "session_not_found", ask: session },
  listMessageDetails: { of: "device", notFound: "session_not_found", ask: session },
  // Of what the caller may see; a number that is not theirs has no messages.
  listMessagesOfAccount: { of: "caller" },
  listFilteredMessages: { of: "caller" },
  listConversation: { of: "caller" },
  listMessagesOfNumber: { of: "caller" },
  listCounterparts: { of: "caller" },
  listMessageContacts: { of: "caller" },
  listEvents: { of: "device", ask: async ({ deviceId }) => ({ query: { deviceId } }) },
  listJobs: { of: "device", ask: async ({ deviceId }) => ({ query: { deviceId } }) },
  getJob: { of: "device", notFound: "job_not_found", ask: job },
  cancelJob: { of: "device", notFound: "job_not_found", ask: job },
  pauseJob: { of: "device", notFound: "job_not_found", ask: job },
  resumeJob: { of: "device", notFound: "job_not_found", ask: job },
  getScheduledMessage: { of: "device", notFound: "schedule_not_found", ask: schedule },
  cancelScheduledMessage: { of: "device", notFound: "schedule_not_found", ask: schedule },
  getCommand: { of: "device", notFound: "command_not_found", ask: command },
};

/** Who calls, and what they are answered, by what the route is about. */
const COLUMNS = {
  "no token": { any: "unauthorized" },
  "an expired token": { any: "unauthorized" },
  "a revoked token": { any: "unauthorized" },
  "a token of a disabled user": { any: "unauthorized" },
  "owner, token of another scope": { any: "insufficient_scope" },
  "owner, login from another site": { any: "cross_site" },
  owner: { any: "allowed", admin: "forbidden" },
  "owner, login from our page": { any: "allowed", admin: "forbidden" },
  "owner, token for another device": { any: "allowed", device: "not found", admin: "forbidden" },
  stranger: { any: "allowed", device: "not found", user: "not found", admin: "forbidden" },
  "user to whom the device was given": { any: "allowed", user: "not found", admin: "forbidden" },
  admin: { any: "allowed", user: "not found" },
  "admin, token for another device": { any: "allowed", device: "not found", user: "not found" },
} as const satisfies Record<string, { any: string; [of: string]: string }>;
type Column = keyof typeof COLUMNS;
/** With a public route it makes no difference who calls. */
const PUBLIC_COLUMNS: Column[] = ["no token", "a revoked token", "owner, login from another site"];

/** An invalid request shows nothing of who may: the schemas of the path and the query need examples. */
const TELLING = new Set<string>([
  "unauthorized",
  "insufficient_scope",
  "forbidden",
  "cross_site",
  "validation_failed",
  "invalid_phone",
]);
const OTHER_DEVICE = "another-device" as DeviceId;

const people = {
  owner: await person("owner"),
  stranger: await person("stranger"),
  guest: await person("guest"),
  disabled: await person("disabled"),
  admin: await person("admin", "admin"),
};
await users.update(database, people.disabled, { isDisabled: true });
await devices.create(database, { deviceId: OTHER_DEVICE, userId: people.owner, deviceName: null }, 1);

async function person(username: string, role: users.Role = "user"): Promise<UserId> {
  const userId = newUserId();
  await users.create(database, { userId, username: `${username}-user`, role, passwordHash: cheapHash("password") });
  return userId;
}
async function ended(column: "expires_at" | "revoked_at"): Promise<string> {
  const secret = await gateway.limited({}, people.owner);
  const sql = `UPDATE tokens SET ${column} = NOW(3) WHERE hash = ?`;
  await execute(database.pool, sql, [tokenHash(secret)]);
  return secret;
}

type Credential = { token: string | null; headers?: Record<string, string> };
const bearer = async (owner: UserId, rights: Partial<tokens.Rights> = {}): Promise<Credential> => ({
  token: await gateway.limited(rights, owner),
});
async function login(owner: UserId, site: string): Promise<Credential> {
  const cookie = newLoginCookie();
  await userLogins.create(database, loginHash(cookie, gateway.services.config.sessionSecret), owner);
  return { token: null, headers: { cookie: `gateway=${cookie}`, "sec-fetch-site": site } };
}
const elsewhere = { deviceIds: [OTHER_DEVICE] };
const credentials: Record<Exclude<Column, "owner, token of another scope">, () => Promise<Credential>> = {
  "no token": async () => ({ token: null }),
  "an expired token": async () => ({ token: await ended("expires_at") }),
  "a revoked token": async () => ({ token: await ended("revoked_at") }),
  "a token of a disabled user": () => bearer(people.disabled),
  "owner, login from another site": () => login(people.owner, "cross-site"),
  owner: () => bearer(people.owner),
  "owner, login from our page": () => login(people.owner, "same-origin"),
  "owner, token for another device": () => bearer(people.owner, elsewhere),
  stranger: () => bearer(people.stranger),
  "user to whom the device was given": () => bearer(people.guest),
  admin: () => bearer(people.admin),
  "admin, token for another device": () => bearer(people.admin, elsewhere),
};

function rowOf(route: Route): (Row & { isAdmin: boolean }) | undefined {
  const isAdmin = route.access === "token" && route.scope === "admin";
  const derived = route.path.includes(":deviceId")
    ? { of: "device" as const }
    : isAdmin
      ? { of: "caller" as const }
      : undefined;
  const row = ROWS[route.name] ?? derived;
  return row && { ...row, isAdmin };
}

function expected(column: Column, route: Route, row: Row & { isAdmin: boolean }): Outcome {
  if (route.access === "public") return row.but?.[column] ?? "allowed";
  const { scope, method } = route;
  if (column === "owner, token of another scope" && scope === "any") return "allowed";
  if (column === "owner, login from another site" && method === "get") return row.isAdmin ? "forbidden" : "allowed";
  const outcomes: Record<string, string> = COLUMNS[column];
  const outcome = (row.isAdmin ? outcomes["admin"] : outcomes[row.of]) ?? outcomes["any"];
  const usual = outcome === "not found" ? (row.notFound ?? "device_not_found") : (outcome as Outcome);
  return row.but?.[column] ?? usual;
}

/** Of the examples that the schemas have, since the request must be a valid one. */
function examples(schema: z.ZodObject): Record<string, string> {
  const fields: [string, z.core.$ZodType][] = Object.entries(schema.shape);
  const entries = fields.flatMap(([name, field]) => {
    const examples = z.globalRegistry.get(field)?.["examples"];
    const example: unknown = Array.isArray(examples) ? examples[0] : undefined;
    return typeof example === "string" || typeof example === "number" ? [[name, String(example)] as const] : [];
  });
  return Object.fromEntries(entries);
}

let made = 0;
async function outcomeOf(column: Column, route: Route, row: Row): Promise<string> {
  const deviceId = `device-${made++}` as DeviceId;
  const thing = { deviceId, owner: people.owner };
  await devices.create(database, { deviceId, userId: people.owner, deviceName: null }, 1);
  await deviceGrants.replace(database, people.guest, [deviceId], people.admin);
  const asked = await row.ask?.(thing);
  const params: Record<string, string> = { id: "none", ...examples(route.request.params), deviceId, ...asked?.params };
  const path = route.path.replaceAll(/:(\w+)/g, (_all, name: string) => encodeURIComponent(params[name] ?? "none"));
  const query = new URLSearchParams({ ...examples(route.request.query), ...asked?.query }).toString();

  const otherScope = SCOPES.find((scope) => route.access === "token" && scope !== route.scope) ?? "account";
  const credential =
    column === "owner, token of another scope"
      ? await bearer(people.owner, { scopes: [otherScope] })
      : await credentials[column]();
  const body = asked?.body ?? route.bodyExample;
  const question = { ...credential, ...(body !== undefined && { body }) };
  const response = await gateway.ask(route.method.toUpperCase(), `${path}?${query}`, question);
  if (response.ok) return "allowed";
  const { error } = (await response.json()) as { error: { code: string } };
  return TELLING.has(error.code) || error.code === (row.notFound ?? "device_not_found") ? error.code : "allowed";
}

test("every route is in the matrix, and the matrix knows no other", () => {
  const without = routes.filter((route) => route.access === "token" && !rowOf(route)).map(({ name }) => name);
  expect(without, "say in ROWS what these are about").toEqual([]);
  const names = new Set(routes.map(({ name }) => name));
  expect(Object.keys(ROWS).filter((name) => !names.has(name))).toEqual([]);
});

test.each(routes)("$name: everybody is answered what is theirs", async (route) => {
  const row = rowOf(route) ?? { of: "caller", isAdmin: false };
  const columns = route.access === "public" ? PUBLIC_COLUMNS : (Object.keys(COLUMNS) as Column[]);
  const wanted = columns.map((column) => [column, expected(column, route, row)]);
  const actual: string[][] = [];
  for (const column of columns) actual.push([column, await outcomeOf(column, route, row)]);
  expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(wanted));
});
