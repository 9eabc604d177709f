import * as users from "./db/users.ts";
import type { Database } from "./db/pool.ts";
import { newUserId } from "./ids.ts";
import type { UserId } from "./ids.ts";
import { hashPassword } from "./password.ts";

/**
 * Makes the first administrator on a database that has none.
 * @param newPassword what they log in with; asked for only then
 * @returns who administers; with the password if they were made now, which nobody can ask for again
 */
export async function ensureFirstAdmin(
  database: Database,
  username: string,
  newPassword: () => string,
): Promise<{ userId: UserId; username: string; password?: string }> {
  const existing = await users.firstAdmin(database);
  if (existing) return existing;
  const password = newPassword();
  const admin = { userId: newUserId(), username, role: "admin" as const };
  const isNew = await users.create(database, { ...admin, passwordHash: await hashPassword(password) });
  // Another process may have been quicker. A user of that name who is no administrator is for a person to sort out.
  const found = isNew ? undefined : await users.firstAdmin(database);
  if (found) return found;
  if (!isNew) throw new Error(`there is a user "${username}" already, who is no administrator`);
  return { userId: admin.userId, username: admin.username, password };
}
