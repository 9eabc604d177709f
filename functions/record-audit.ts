import * as audit from "../shared/db/audit.ts";
import type { AuditEntry } from "../shared/db/audit.ts";
import { IDEMPOTENCY_REPLAYED } from "./idempotency.ts";
import type { Answer, Call, PublicCall, Route } from "./route.ts";

/**
 * Writes what was changed into the audit log. The change is done by then: should the log not take it, the entry is kept
 * in the process's own log, and the client has its answer.
 */
export async function recordAudit(
  { services, client, requestId }: PublicCall,
  entry: Pick<AuditEntry, "userId" | "tokenId" | "action" | "target">,
): Promise<void> {
  const whole = { ...entry, address: client.address, requestId };
  try {
    await audit.append(services.database.pool, whole);
  } catch (error) {
    services.log.error({ audit: whole, err: error }, "the audit log did not take an entry");
  }
}

/** Records what a route has done, if it says that it is worth recording, once. */
export async function auditAnswer(
  { audit: what }: Pick<Route, "audit">,
  params: Record<string, string>,
  answer: Answer,
  call: Call,
): Promise<void> {
  const isReplay = "headers" in answer && Object.keys(IDEMPOTENCY_REPLAYED).some((name) => answer.headers?.[name]);
  if (!what || !("data" in answer) || isReplay) return;
  const { userId, credential } = call.caller;
  const target = fieldOf(answer.data, what.target) ?? params[what.target] ?? null;
  const tokenId = credential.kind === "token" ? credential.tokenId : null;
  await recordAudit(call, { userId, tokenId, action: what.action, target });
}

function fieldOf(data: unknown, name: string): string | undefined {
  const value =
    typeof data === "object" && data !== null && name in data ? (data as Record<string, unknown>)[name] : null;
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
