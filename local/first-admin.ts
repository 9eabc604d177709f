import { newTokenId, newUserId } from "../shared/ids.ts";
import { hashPassword } from "../shared/password.ts";
import { EVERY_SCOPE } from "../shared/scopes.ts";
import { tokenHash, tokenPrefix } from "../shared/token.ts";
import type { Database } from "../shared/db/pool.ts";
import * as tokens from "../shared/db/tokens.ts";
import * as users from "../shared/db/users.ts";

const USERNAME = "admin";
const TOKEN_NAME = "made by the launcher";

/**
 * Makes the first administrator on a fresh database, and the launcher's API token where it is missing.
 * @returns the administrator's user name
 */
export async function ensureFirstAdmin(database: Database, password: string, token: string): Promise<string> {
  const admin = (await users.firstAdmin(database)) ?? (await createAdmin(database, password));
  const hash = tokenHash(token);
  if (!(await tokens.findCaller(database, hash))) {
    await tokens.create(database, {
      tokenId: newTokenId(),
      userId: admin.userId,
      name: TOKEN_NAME,
      prefix: tokenPrefix(token),
      hash,
      scopes: [EVERY_SCOPE],
      deviceIds: null,
      expiresAt: null,
    });
  }
  return admin.username;
}

async function createAdmin(database: Database, password: string) {
  const user = {
    userId: newUserId(),
    username: USERNAME,
    passwordHash: await hashPassword(password),
    role: "admin",
  } as const;
  await users.create(database, user);
  return user;
}
