// A third of what the classes of `Temporal` take in the bundle.
import { getISO } from "temporal-polyfill/fns/Calendar";
import * as plainDateTime from "temporal-polyfill/fns/PlainDateTime";
import * as zonedDateTime from "temporal-polyfill/fns/ZonedDateTime";

/**
 * The instant that a time on the clocks of a place means. `repeated`: they show it twice, for they are put back over it;
 * `at` is the earlier. `skipped`: they never show it, for they are put forward over it. `invalid`: no calendar has it.
 */
export type ScheduledInstant =
  | { outcome: "exact" | "repeated"; at: Date }
  | { outcome: "skipped" }
  | { outcome: "invalid" };

/**
 * @param wallTime `YYYY-MM-DD HH:mm:ss`
 * @param timeZone a name of the IANA database
 */
export function scheduledInstant(wallTime: string, timeZone: string): ScheduledInstant {
  const wall = plainTime(wallTime);
  if (!wall) return { outcome: "invalid" };
  const earlier = plainDateTime.toZonedDateTime(wall, timeZone, { disambiguation: "earlier" });
  if (!plainDateTime.equals(zonedDateTime.toPlainDateTime(earlier), wall)) return { outcome: "skipped" };
  const later = plainDateTime.toZonedDateTime(wall, timeZone, { disambiguation: "later" });
  const outcome = earlier.epochMilliseconds === later.epochMilliseconds ? "exact" : "repeated";
  return { outcome, at: new Date(earlier.epochMilliseconds) };
}

function plainTime(wallTime: string): plainDateTime.Record | undefined {
  try {
    return plainDateTime.fromString(wallTime.replace(" ", "T"), getISO);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
