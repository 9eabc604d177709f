/**
 * What an API token may be allowed to do, area by area. `write` does not bring `read` with it: a program that only
 * sends need not be able to read chats. `account` is its user's own tokens and password, `admin` other users and the
 * audit log, for administrators.
 */
export const SCOPES = [
  "devices:read",
  "devices:write",
  "messages:read",
  "messages:write",
  "groups:read",
  "groups:write",
  "webhooks:read",
  "webhooks:write",
  "data:read",
  "data:write",
  "account",
  "admin",
] as const;
export type Scope = (typeof SCOPES)[number];

/** Whatever its user may do, also in areas that a later version adds. */
export const EVERY_SCOPE = "*";
export type GrantedScope = Scope | typeof EVERY_SCOPE;

/** Whether all that is asked for is in what is granted. */
export const coversScopes = (granted: readonly GrantedScope[], asked: readonly GrantedScope[]) =>
  granted.includes(EVERY_SCOPE) || asked.every((scope) => granted.includes(scope));
