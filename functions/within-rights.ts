import type { Rights } from "../shared/db/tokens.ts";
import { ApiError } from "../shared/errors.ts";
import type { ErrorDetail } from "../shared/errors.ts";
import { coversScopes } from "../shared/scopes.ts";
import type { Caller } from "./route.ts";

/**
 * A token cannot make one that may do more than itself, on other devices, or for longer. Throws `forbidden` and says
 * what was too much.
 */
export function assertWithinRights(caller: Caller, asked: Rights & { expiresAt: Date | null }): void {
  const { scopes, deviceIds, credential } = caller;
  const ends = credential.kind === "token" ? credential.expiresAt : null;
  const details: ErrorDetail[] = [
    ...(coversScopes(scopes, asked.scopes) ? [] : [tooMuch("scopes")]),
    ...(deviceIds === null || asked.deviceIds?.every((id) => deviceIds.includes(id)) ? [] : [tooMuch("deviceIds")]),
    ...(ends === null || (asked.expiresAt !== null && asked.expiresAt <= ends) ? [] : [tooMuch("expiresAt")]),
  ];
  if (details.length) throw new ApiError("forbidden", details);
}

const tooMuch = (field: string) => ({ path: `body.${field}`, message: "more than the caller's own token may" });
