import { createHash } from "node:crypto";
import type { StoredSchedule } from "./records.ts";

/**
 * `second`: targets are invoked at once when the time has come. `minute`: at any moment of the minute that the time
 * lies in, as in AWS (user guide, "Schedule types": "60 second precision").
 */
export type Precision = "second" | "minute";

const MINUTE_MS = 60_000;

/** When the target is to be invoked; undefined when it is not. Always the same for the same time of a schedule. */
export function dueAt(schedule: StoredSchedule, precision: Precision): number | undefined {
  const { nextAt, retry, definition } = schedule;
  if (nextAt === undefined || definition.state === "DISABLED") return undefined;
  if (retry) return retry.retryAt;
  const windowMs = definition.windowMinutes * MINUTE_MS;
  if (precision === "minute")
    return Math.floor(nextAt / MINUTE_MS) * MINUTE_MS + spread(schedule, windowMs + MINUTE_MS);
  return nextAt + spread(schedule, windowMs);
}

/** Anything from 0 to below `limitMs`: AWS picks the moment, so nobody may count on one. */
function spread({ group, name, nextAt }: StoredSchedule, limitMs: number): number {
  if (limitMs === 0) return 0;
  const digest = createHash("sha256").update(`${group}/${name}/${nextAt}`).digest();
  return Math.floor((digest.readUInt32BE() / 2 ** 32) * limitMs);
}
