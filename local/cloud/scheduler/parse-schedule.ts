import { optionalObject } from "../sqs/input.ts";
import type { Input } from "../sqs/input.ts";
import { choice, date, integer, required, text } from "./constraints.ts";
import type { SchedulerContext } from "./context.ts";
import { validation } from "./errors.ts";
import type { ScheduleDefinition } from "./records.ts";
import { parseTarget } from "./target.ts";
import { parseTiming } from "./timing.ts";
import { isZone } from "./zone.ts";

/** What AWS answers says so: "The StartDate you specify cannot be earlier than 5 minutes ago." */
const START_IN_THE_PAST_MS = 5 * 60_000;
const KMS_KEY_ARN = { longest: 2048, pattern: /^arn:aws(-[a-z]+)?:kms:[a-z0-9-]+:\d{12}:(key|alias)\/[0-9a-zA-Z-_]*$/ };

/** Reads the body of CreateSchedule or UpdateSchedule, with the defaults filled in. Throws `ValidationException`. */
export function parseSchedule({ queues, now }: SchedulerContext, body: Input) {
  const expression = required(text(body, "scheduleExpression", { longest: 256 }), "scheduleExpression");
  const timing = parseTiming(expression);
  if (!timing) throw validation(`Invalid Schedule Expression ${expression}.`);
  const zone = text(body, "scheduleExpressionTimezone", { longest: 50 }) ?? "UTC";
  if (!isZone(zone)) throw validation(`The ScheduleExpressionTimezone ${zone} is not valid.`);
  const startAt = date(body, "startDate");
  const endAt = date(body, "endDate");
  if (timing.kind !== "at") checkDates(now(), startAt, endAt);
  const description = body["Description"] === "" ? undefined : text(body, "description", { longest: 512 });
  const kmsKeyArn = text(body, "kmsKeyArn", KMS_KEY_ARN);
  const { target, input } = parseTarget(queues, required(optionalObject(body, "Target"), "target"));
  const definition: ScheduleDefinition = {
    expression,
    zone,
    state: choice(body, "state", ["ENABLED", "DISABLED"]) ?? "ENABLED",
    windowMinutes: parseWindow(required(optionalObject(body, "FlexibleTimeWindow"), "flexibleTimeWindow")),
    afterCompletion: choice(body, "actionAfterCompletion", ["NONE", "DELETE"]) ?? "NONE",
    ...(startAt !== undefined && { startAt }),
    ...(endAt !== undefined && { endAt }),
    ...(description !== undefined && { description }),
    ...(kmsKeyArn !== undefined && { kmsKeyArn }),
    target,
  };
  return { definition, timing, input };
}

function checkDates(now: number, startAt: number | undefined, endAt: number | undefined): void {
  if (startAt !== undefined && startAt < now - START_IN_THE_PAST_MS) {
    throw validation("The StartDate you specify cannot be earlier than 5 minutes ago.");
  }
  if (endAt !== undefined && endAt < now) throw validation("The EndDate you specify cannot be in the past.");
  if (startAt !== undefined && endAt !== undefined && endAt < startAt) {
    throw validation("The EndDate you specify cannot be earlier than the StartDate.");
  }
}

/** 0 when there is none. */
function parseWindow(window: Input): number {
  const mode = required(choice(window, "flexibleTimeWindow.mode", ["OFF", "FLEXIBLE"]), "flexibleTimeWindow.mode");
  const minutes = integer(window, "flexibleTimeWindow.maximumWindowInMinutes", 1, 1440);
  if (mode === "FLEXIBLE") return required(minutes, "flexibleTimeWindow.maximumWindowInMinutes");
  if (minutes !== undefined) throw validation("MaximumWindowInMinutes needs the mode FLEXIBLE.");
  return 0;
}
