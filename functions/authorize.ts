import { ApiError } from "../shared/errors.ts";
import { coversScopes } from "../shared/scopes.ts";
import type { Scope } from "../shared/scopes.ts";
import type { Caller } from "./route.ts";

/**
 * Whether the caller may use a route at all; on which devices is `ownDevice`'s to say. Throws `insufficient_scope`, or
 * `forbidden` for what is for administrators only.
 */
export function authorize(caller: Caller, scope: Scope | "any"): void {
  if (scope === "any") return;
  if (!coversScopes(caller.scopes, [scope])) {
    throw new ApiError("insufficient_scope", [{ path: "headers.authorization", message: scope }]);
  }
  if (scope === "admin" && caller.role !== "admin") throw new ApiError("forbidden");
}
