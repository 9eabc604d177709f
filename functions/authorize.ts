import { ApiError } from "../shared/errors.ts";
import { coversScopes } from "../shared/scopes.ts";
import type { Scope } from "../shared/scopes.ts";
import type { Client } from "./client.ts";
import type { Caller } from "./route.ts";

/**
 * Whether the caller may use a route at all; on which devices is `ownDevice`'s to say. A browser sends the login cookie
 * by itself, so a write with it must come from a page of ours. Throws `cross_site`, `insufficient_scope`, or `forbidden`
 * for what is for administrators only.
 */
export function authorize(caller: Caller, client: Client, request: { isWrite: boolean; scope: Scope | "any" }): void {
  if (caller.credential.kind === "login" && request.isWrite && client.site !== "same") throw new ApiError("cross_site");
  if (request.scope === "any") return;
  if (!coversScopes(caller.scopes, [request.scope])) {
    throw new ApiError("insufficient_scope", [{ path: "headers.authorization", message: request.scope }]);
  }
  if (request.scope === "admin" && caller.role !== "admin") throw new ApiError("forbidden");
}
