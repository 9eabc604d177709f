import * as tokens from "../shared/db/tokens.ts";
import type { Database } from "../shared/db/pool.ts";
import { ApiError } from "../shared/errors.ts";
import { isToken, tokenHash } from "../shared/token.ts";
import type { Caller } from "./route.ts";

/** The scheme's name is not case-sensitive (RFC 9110, 11.1). */
const BEARER = /^bearer +(\S+)$/i;

/** Who calls, by the `Authorization` header. Throws `unauthorized` for anything but a token that is valid now. */
export async function authenticate(database: Database, authorization: string | undefined): Promise<Caller> {
  const token = BEARER.exec(authorization ?? "")?.[1];
  const caller =
    token !== undefined && isToken(token) ? await tokens.findCaller(database, tokenHash(token)) : undefined;
  if (!caller) throw new ApiError("unauthorized");
  return caller;
}
