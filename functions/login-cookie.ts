import { createHmac, randomBytes } from "node:crypto";
import { parse, serialize } from "hono/utils/cookie";
import type { Client } from "./client.ts";

/** With the prefix a browser takes the cookie over HTTPS only, and from no other host (RFC 6265bis, 4.1.3). */
const nameFor = ({ isSecure }: Client) => (isSecure ? "__Host-gateway" : "gateway");

/** The value of a new login's cookie: 256 random bits. Only `loginHash` of it is kept. */
export const newLoginCookie = () => randomBytes(32).toString("base64url");

/** Keyed, so that whoever can write to the database cannot log in by it, and a new SESSION_SECRET ends every login. */
export const loginHash = (cookie: string, sessionSecret: string) =>
  createHmac("sha256", sessionSecret).update(`login\n${cookie}`).digest();

/** @param header the request's `Cookie` header */
export const readLoginCookie = (header: string | undefined, client: Client): string | undefined =>
  header === undefined ? undefined : parse(header, nameFor(client))[nameFor(client)];

/** The header that hands the cookie out. No script can read it, and other sites' forms do not send it. */
export const setLoginCookie = (client: Client, cookie: string, maxAgeSeconds: number) => ({
  "Set-Cookie": serialize(nameFor(client), cookie, {
    path: "/",
    httpOnly: true,
    sameSite: "Lax",
    secure: client.isSecure,
    maxAge: maxAgeSeconds,
  }),
});
export const clearLoginCookie = (client: Client) => setLoginCookie(client, "", 0);
