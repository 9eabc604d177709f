import type { ScheduleDefinition, StoredSchedule } from "./records.ts";
import { nextTime, parseTiming } from "./timing.ts";

type Times = Pick<StoredSchedule, "anchor" | "nextAt">;

/**
 * The first time of a schedule that is made now. A time that has passed is due at once: AWS takes `at` in the past so,
 * and a rate without a start date begins immediately (user guide, "Rate-based schedules").
 */
export function firstTime(definition: ScheduleDefinition, now: number): Times {
  const anchor = definition.startAt ?? now;
  const after = { at: -Infinity, rate: anchor - 1, cron: now }[kindOf(definition)];
  return { anchor, ...timesAfter(definition, anchor, after) };
}

/**
 * The next time of a schedule that is changed now. As long as it means the same times, it goes on: what was done is not
 * done again, what is due stays due. Times that passed while it was disabled are left out.
 */
export function nextTimeAfterUpdate(before: StoredSchedule, definition: ScheduleDefinition, now: number): Times {
  const { expression, zone, startAt, state } = before.definition;
  if (expression !== definition.expression || zone !== definition.zone || startAt !== definition.startAt) {
    return firstTime(definition, now);
  }
  const { anchor, nextAt } = before;
  const oneTime = kindOf(definition) === "at";
  if (oneTime) return { anchor, ...(nextAt !== undefined && { nextAt }) };
  const goesOn = state === "ENABLED" && nextAt !== undefined;
  return { anchor, ...timesAfter(definition, anchor, goesOn ? nextAt - 1 : now) };
}

/** The time after the one that was dealt with now. Those that were missed meanwhile are left out. */
export function timeAfterInvocation(
  { definition, anchor, nextAt = 0 }: StoredSchedule,
  now: number,
): { nextAt?: number } {
  return timesAfter(definition, anchor, Math.max(now, nextAt));
}

function timesAfter(definition: ScheduleDefinition, anchor: number, after: number): { nextAt?: number } {
  const timing = parseTiming(definition.expression);
  const nextAt = timing && nextTime(timing, { ...definition, anchor }, after);
  return nextAt === undefined ? {} : { nextAt };
}

function kindOf({ expression }: ScheduleDefinition): "at" | "rate" | "cron" {
  return parseTiming(expression)?.kind ?? "at";
}
