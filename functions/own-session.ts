import * as sessions from "../shared/db/sessions.ts";
import type { Session } from "../shared/db/sessions.ts";
import { ApiError } from "../shared/errors.ts";
import type { Call } from "./route.ts";

/** A session whose device the caller may use. Throws `session_not_found` also for another. */
export async function ownSession({ services, caller }: Call, sessionId: number): Promise<Session> {
  const session = await sessions.get(services.database, caller, sessionId);
  if (!session) throw new ApiError("session_not_found");
  return session;
}
