import * as z from "zod";
import * as userLogins from "../../shared/db/user-logins.ts";
import * as users from "../../shared/db/users.ts";
import { ApiError } from "../../shared/errors.ts";
import { forgetExpired } from "../../shared/forget-expired.ts";
import { hashPassword, verifyPassword } from "../../shared/password.ts";
import { clearLoginCookie, loginHash, newLoginCookie, readLoginCookie, setLoginCookie } from "../login-cookie.ts";
import { passwordTries } from "../password-tries.ts";
import { recordAudit } from "../record-audit.ts";
import { answer, nothing, publicRoute, route } from "../route.ts";
import type { Route } from "../route.ts";
import { newPassword, toUserView, typedPassword, userExample, userView } from "../schemas/user.ts";

const BASE = "/api/auth";
const tag = "Login";
const NOTHING = {};

const login = publicRoute({
  name: "login",
  method: "post",
  path: `${BASE}/login`,
  tag,
  summary: "Log in with a password",
  description:
    "For browsers: the answer sets a cookie that no script can read. It ends after 12 hours without use, and at last after a week. A write with it must come from a page of this server (`Sec-Fetch-Site` or `Origin`). Programs use tokens.",
  body: z.object({ username: z.string().min(1).max(256), password: typedPassword }),
  bodyExample: { username: "ani", password: "correct horse battery" },
  answers: {
    200: answer({ id: "Login berhasil", en: "You are logged in" }, z.object({ user: userView }), { user: userExample }),
  },
  errors: ["login_failed", "cross_site", "too_many_requests", "unavailable"],
  async handle(call, { username, password }, headers) {
    const { services, client } = call;
    const { database, config } = services;
    // Nobody shall be logged in as somebody else by a page that they look at.
    if (client.site === "other") throw new ApiError("cross_site");
    const found = await users.findForLogin(database, username);
    const user = await passwordTries(database, username, client.address, async () =>
      (await verifyPassword(password, found?.passwordHash)) && !found?.isDisabled ? found : undefined,
    );
    const named = { userId: found?.userId ?? null, tokenId: null, target: found?.userId ?? null };
    if (!user) {
      await recordAudit(call, { ...named, action: "login.failed" });
      throw new ApiError("login_failed");
    }
    const former = readLoginCookie(headers["cookie"], client);
    if (former) await userLogins.remove(database, loginHash(former, config.sessionSecret));
    const cookie = newLoginCookie();
    await userLogins.create(database, loginHash(cookie, config.sessionSecret), user.userId);
    await recordAudit(call, { ...named, action: "login" });
    // A login is rare and takes long anyway: it takes the garbage along.
    await forgetExpired(database, config.auditRetentionDays);
    return {
      status: 200,
      data: { user: toUserView(user) },
      headers: setLoginCookie(client, cookie, userLogins.LOGIN_MAX_AGE_SECONDS),
    };
  },
});

const logout = route({
  name: "logout",
  method: "post",
  path: `${BASE}/logout`,
  tag,
  scope: "any",
  summary: "Log out",
  description: "Ends the login of the cookie. A token goes on being valid: it is revoked under `/tokens`.",
  answers: { 200: answer({ id: "Logout berhasil", en: "You are logged out" }, nothing, NOTHING) },
  errors: [],
  async handle(_input, { services, caller, client }) {
    if (caller.credential.kind === "login") await userLogins.remove(services.database, caller.credential.hash);
    return { status: 200, data: NOTHING, headers: clearLoginCookie(client) };
  },
});

const getSession = route({
  name: "getSession",
  method: "get",
  path: `${BASE}/session`,
  tag,
  scope: "any",
  summary: "Who am I?",
  description: "The user whose login or token it is, and what may be done with it.",
  answers: {
    200: answer(
      { id: "Pengguna saat ini", en: "The current user" },
      z.object({
        user: userView,
        credential: z.enum(["login", "token"]),
        scopes: z.array(z.string()),
        deviceIds: z.array(z.string()).nullable().meta({ description: "Null: every device of the user." }),
        expiresAt: z.iso.datetime().nullable(),
      }),
      { user: userExample, credential: "login", scopes: ["*"], deviceIds: null, expiresAt: "2026-11-29T04:30:00.000Z" },
    ),
  },
  errors: [],
  async handle(_input, { services, caller }) {
    const user = await users.get(services.database, caller.userId);
    if (!user) throw new ApiError("unauthorized");
    const { credential, scopes, deviceIds } = caller;
    const data = {
      user: toUserView(user),
      credential: credential.kind,
      scopes: [...scopes],
      deviceIds: deviceIds && [...deviceIds],
      expiresAt: credential.expiresAt?.toISOString() ?? null,
    };
    return { status: 200, data };
  },
});

const changePassword = route({
  name: "changePassword",
  method: "put",
  path: `${BASE}/password`,
  tag,
  scope: "account",
  summary: "Change one's own password",
  description: "Ends every other login of the user. Tokens go on being valid.",
  body: z.object({ currentPassword: typedPassword, newPassword }),
  bodyExample: { currentPassword: "correct horse battery", newPassword: "staple the horse again" },
  answers: { 200: answer({ id: "Kata sandi berhasil diganti", en: "The password was changed" }, nothing, NOTHING) },
  audit: { action: "user.password", target: "userId" },
  errors: ["wrong_password"],
  async handle({ body }, { services, caller, client }) {
    const { database } = services;
    const { userId, credential } = caller;
    const hash = await users.getPasswordHash(database, userId);
    const isRight = await passwordTries(database, userId, client.address, async () =>
      (await verifyPassword(body.currentPassword, hash)) ? true : undefined,
    );
    if (!isRight) throw new ApiError("wrong_password");
    await users.update(database, userId, { passwordHash: await hashPassword(body.newPassword) });
    await userLogins.removeOthers(database, userId, credential.kind === "login" ? credential.hash : null);
    return { status: 200, data: NOTHING };
  },
});

export const authRoutes: Route[] = [login, logout, getSession, changePassword];
