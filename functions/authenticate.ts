import * as userLogins from "../shared/db/user-logins.ts";
import * as tokens from "../shared/db/tokens.ts";
import { ApiError } from "../shared/errors.ts";
import { EVERY_SCOPE } from "../shared/scopes.ts";
import { isToken, tokenHash } from "../shared/token.ts";
import type { Client } from "./client.ts";
import { loginHash, readLoginCookie } from "./login-cookie.ts";
import type { Caller, Services } from "./route.ts";

type Context = { services: Pick<Services, "database" | "config">; client: Client };

/** The scheme's name is not case-sensitive (RFC 9110, 11.1). */
const BEARER = /^bearer +(\S+)$/i;

/**
 * Who calls: by the token of the `Authorization` header, or where there is none by the login cookie.
 * Throws `unauthorized` for anything but a token or a login that is valid now.
 * @param headers with lower-case names
 */
export async function authenticate(context: Context, headers: Record<string, string>): Promise<Caller> {
  const { authorization, cookie } = headers;
  const caller = authorization === undefined ? await byLogin(context, cookie) : await byToken(context, authorization);
  if (!caller) throw new ApiError("unauthorized");
  return caller;
}

async function byToken({ services }: Context, authorization: string): Promise<Caller | undefined> {
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined || !isToken(token)) return undefined;
  const found = await tokens.findCaller(services.database, tokenHash(token));
  if (!found) return undefined;
  const { tokenId, expiresAt, ...caller } = found;
  return { ...caller, credential: { kind: "token", tokenId, expiresAt } };
}

async function byLogin({ services, client }: Context, header: string | undefined): Promise<Caller | undefined> {
  const cookie = readLoginCookie(header, client);
  if (!cookie) return undefined;
  const hash = loginHash(cookie, services.config.sessionSecret);
  const found = await userLogins.findCaller(services.database, hash);
  if (!found) return undefined;
  const { userId, role, expiresAt } = found;
  return { userId, role, deviceIds: null, scopes: [EVERY_SCOPE], credential: { kind: "login", hash, expiresAt } };
}
