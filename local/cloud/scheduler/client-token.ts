import { createHash } from "node:crypto";
import { text, CLIENT_TOKEN } from "./constraints.ts";
import type { SchedulerCall, SchedulerContext } from "./context.ts";
import { conflict } from "./errors.ts";
import type { SchedulerRecord } from "./records.ts";

/** AWS does not say for how long it remembers; an SDK stops repeating a request after less than a minute. */
const REMEMBER_MS = 10 * 60_000;

type Once = {
  /** The same request was done a short time ago: it is to be answered as if it were done now. */
  done: boolean;
  /** To be committed with the effect of the request. */
  records: SchedulerRecord[];
};

/**
 * What the client token of a request means for it (API reference, `ClientToken`): a repetition has no effect. `what` is
 * the action and what it acts on; only there the token counts. Throws `ConflictException` when the same token came with
 * another request, `ValidationException` for a malformed one.
 */
export function onceFor({ schedules, now }: SchedulerContext, what: string, { input, query }: SchedulerCall): Once {
  const token = text({ ClientToken: input["ClientToken"] ?? query.get("clientToken") }, "clientToken", CLIENT_TOKEN);
  if (token === undefined) return { done: false, records: [] };
  const key = hash(`${what} ${token}`);
  const { ClientToken: _token, ...rest } = input;
  const request = hash(JSON.stringify(rest));
  const before = schedules.doneWith(key);
  if (before !== undefined && before !== request) throw conflict("The ClientToken was used for another request.");
  const record: SchedulerRecord = { type: "scheduler.token", token: key, request, until: now() + REMEMBER_MS };
  return { done: before !== undefined, records: [record] };
}

function hash(value: string): string {
  return createHash("sha256").update(value).digest("base64url");
}
