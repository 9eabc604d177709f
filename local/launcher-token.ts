import { newTokenId } from "../shared/ids.ts";
import type { UserId } from "../shared/ids.ts";
import { EVERY_SCOPE } from "../shared/scopes.ts";
import { tokenHash, tokenPrefix } from "../shared/token.ts";
import type { Database } from "../shared/db/pool.ts";
import * as tokens from "../shared/db/tokens.ts";

const TOKEN_NAME = "made by the launcher";

/** Makes the API token that the launcher prints, where it is missing. */
export async function ensureLauncherToken(database: Database, userId: UserId, token: string): Promise<void> {
  const hash = tokenHash(token);
  if (await tokens.findCaller(database, hash)) return;
  await tokens.create(database, {
    tokenId: newTokenId(),
    userId,
    name: TOKEN_NAME,
    prefix: tokenPrefix(token),
    hash,
    scopes: [EVERY_SCOPE],
    deviceIds: null,
    expiresAt: null,
  });
}
