import * as z from "zod";
import * as deviceGrants from "../../shared/db/device-grants.ts";
import * as userLogins from "../../shared/db/user-logins.ts";
import * as users from "../../shared/db/users.ts";
import { ApiError } from "../../shared/errors.ts";
import { newUserId } from "../../shared/ids.ts";
import type { UserId } from "../../shared/ids.ts";
import { hashPassword } from "../../shared/password.ts";
import { findReplay, idempotency, IDEMPOTENCY_REPLAYED, idempotencyKey } from "../idempotency.ts";
import { ownDevices } from "../own-device.ts";
import { answer, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { deviceId } from "../schemas/device.ts";
import { pageQuery, pagination, toPagination } from "../schemas/page.ts";
import { newPassword, role, toUserView, userExample, username, userParams, userView } from "../schemas/user.ts";

const BASE = "/api/auth/users";
const tag = "Users";
const scope = "admin";
const MAX_GIVEN = 1_000;

const listUsers = route({
  name: "listUsers",
  method: "get",
  path: BASE,
  tag,
  scope,
  summary: "List users",
  description: "Oldest first.",
  query: z.object(pageQuery),
  answers: {
    200: answer({ id: "Daftar pengguna", en: "The users" }, z.object({ users: z.array(userView), pagination }), {
      users: [userExample],
      pagination: { page: 1, pageSize: 10, total: 1, totalPages: 1 },
    }),
  },
  errors: [],
  async handle({ query: { page, pageSize } }, { services }) {
    const found = await users.list(services.database, { limit: pageSize, offset: (page - 1) * pageSize });
    const data = { users: found.users.map(toUserView), pagination: toPagination(page, pageSize, found.total) };
    return { status: 200, data };
  },
});

const createUser = route({
  name: "createUser",
  method: "post",
  path: BASE,
  tag,
  scope,
  summary: "Create a user",
  description: "Who sees only the devices that they create or are given, or everything as an `admin`.",
  headers: z.object({ "idempotency-key": idempotencyKey.optional() }),
  body: z.object({ username, password: newPassword, role: role.default("user") }),
  bodyExample: { username: "ani", password: "correct horse battery", role: "user" },
  answers: { 201: answer({ id: "Pengguna berhasil dibuat", en: "The user was created" }, userView, userExample) },
  audit: { action: "user.create", target: "userId" },
  errors: ["username_taken", "idempotency_mismatch"],
  async handle({ headers, body }, call) {
    const { database } = call.services;
    const once = idempotency(headers["idempotency-key"], call);
    const userId = newUserId();
    const passwordHash = await hashPassword(body.password);
    const { username, role } = body;
    const isNew = await users.create(database, {
      userId,
      username,
      role,
      passwordHash,
      ...(once && { idempotency: once }),
    });
    if (isNew) return { status: 201, data: toUserView(await existing(call, userId)) };
    const created = await findReplay(once, (key) => users.getCreation(database, key));
    if (!created) throw new ApiError("username_taken");
    const data = toUserView(await existing(call, created.userId));
    return { status: 201, data, headers: IDEMPOTENCY_REPLAYED };
  },
});

const changeUser = route({
  name: "changeUser",
  method: "put",
  path: `${BASE}/:id`,
  tag,
  scope,
  summary: "Change a user",
  description:
    "What is not given stays. A new password and `isDisabled` end the user's logins; a disabled user's tokens are refused until they are enabled again.",
  params: userParams,
  body: z.object({ role: role.optional(), password: newPassword.optional(), isDisabled: z.boolean().optional() }),
  bodyExample: { isDisabled: true },
  answers: {
    200: answer({ id: "Pengguna berhasil diubah", en: "The user was changed" }, userView, {
      ...userExample,
      isDisabled: true,
    }),
  },
  audit: { action: "user.change", target: "userId" },
  errors: ["user_not_found", "last_admin"],
  async handle({ params, body }, call) {
    const { database } = call.services;
    await existing(call, params.id);
    const outcome = await users.update(database, params.id, {
      ...(body.role && { role: body.role }),
      ...(body.password !== undefined && { passwordHash: await hashPassword(body.password) }),
      ...(body.isDisabled !== undefined && { isDisabled: body.isDisabled }),
    });
    if (outcome === "last_admin") throw new ApiError("last_admin");
    if (body.password !== undefined || body.isDisabled) await userLogins.removeOthers(database, params.id, null);
    return { status: 200, data: toUserView(await existing(call, params.id)) };
  },
});

const removeUser = route({
  name: "removeUser",
  method: "delete",
  path: `${BASE}/:id`,
  tag,
  scope,
  summary: "Remove a user",
  description: "With their tokens and logins. Not while they have devices: remove those first, or disable the user.",
  params: userParams,
  answers: {
    200: answer({ id: "Pengguna berhasil dihapus", en: "The user was removed" }, z.object({ userId: z.string() }), {
      userId: userExample.userId,
    }),
  },
  audit: { action: "user.remove", target: "userId" },
  errors: ["user_not_found", "user_has_devices", "last_admin"],
  async handle({ params }, { services }) {
    const outcome = await users.remove(services.database, params.id);
    if (outcome === "not_found") throw new ApiError("user_not_found");
    if (outcome === "last_admin") throw new ApiError("last_admin");
    if (outcome === "has_devices") throw new ApiError("user_has_devices");
    return { status: 200, data: { userId: params.id } };
  },
});

const givenDevices = z.object({
  userId: z.string(),
  devices: z.array(z.object({ deviceId: z.string(), givenBy: z.string(), createdAt: z.iso.datetime() })),
});
const givenExample = {
  userId: userExample.userId,
  devices: [
    { deviceId: "device-001", givenBy: "usr_019aa1b2c3d4e5f60718293a00", createdAt: "2026-11-22T03:00:00.000Z" },
  ],
};

const listGiven = route({
  name: "listGivenDevices",
  method: "get",
  path: `${BASE}/:id/devices`,
  tag,
  scope,
  summary: "Which devices a user was given",
  description: "Besides those that they own.",
  params: userParams,
  answers: { 200: answer({ id: "Device pengguna", en: "The devices of the user" }, givenDevices, givenExample) },
  errors: ["user_not_found"],
  async handle({ params }, call) {
    await existing(call, params.id);
    return { status: 200, data: await given(call, params.id) };
  },
});

const giveDevices = route({
  name: "giveDevices",
  method: "put",
  path: `${BASE}/:id/devices`,
  tag,
  scope,
  summary: "Give devices to a user",
  description:
    "The list replaces the former one: what is not in it is taken back. Whom a device is given to may do everything with it but remove it.",
  params: userParams,
  body: z.object({ deviceIds: z.array(deviceId).max(MAX_GIVEN) }),
  bodyExample: { deviceIds: ["device-001"] },
  answers: { 200: answer({ id: "Device pengguna", en: "The devices of the user" }, givenDevices, givenExample) },
  audit: { action: "user.devices", target: "userId" },
  errors: ["user_not_found", "device_not_found"],
  async handle({ params, body }, call) {
    const { services, caller } = call;
    await existing(call, params.id);
    await ownDevices(call, body.deviceIds);
    await deviceGrants.replace(services.database, params.id, body.deviceIds, caller.userId);
    return { status: 200, data: await given(call, params.id) };
  },
});

export const userRoutes: Route[] = [listUsers, createUser, changeUser, removeUser, listGiven, giveDevices];

async function existing({ services }: Call, userId: UserId) {
  const user = await users.get(services.database, userId);
  if (!user) throw new ApiError("user_not_found");
  return user;
}

async function given({ services }: Call, userId: UserId): Promise<z.input<typeof givenDevices>> {
  const grants = await deviceGrants.list(services.database, userId);
  return { userId, devices: grants.map((grant) => ({ ...grant, createdAt: grant.createdAt.toISOString() })) };
}
