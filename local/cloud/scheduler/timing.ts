import { parseCron } from "./cron.ts";
import type { Cron } from "./cron.ts";
import { instantOf, instantsOf, wallTimeAt } from "./zone.ts";
import type { WallTime } from "./zone.ts";

/** What a schedule expression says. */
export type Timing = { kind: "at"; wall: WallTime } | { kind: "rate"; everyMs: number } | { kind: "cron"; cron: Cron };

const DAY_MS = 24 * 60 * 60_000;
const UNIT_MS: Record<string, number> = { minute: 60_000, hour: 60 * 60_000, day: DAY_MS };
const MINUTE_MS = 60_000;

/**
 * Reads `at(yyyy-mm-ddThh:mm:ss)`, `rate(value unit)` or `cron(fields)` (EventBridge Scheduler user guide, "Schedule
 * types"). Undefined when it is none of them.
 */
export function parseTiming(expression: string): Timing | undefined {
  const [, kind, text = ""] = /^(at|rate|cron)\((.+)\)$/.exec(expression) ?? [];
  if (kind === "at") {
    const wall = parseWallTime(text);
    return wall === undefined ? undefined : { kind, wall };
  }
  if (kind === "rate") {
    const [, value, unit = ""] = /^([1-9]\d{0,8}) +(minute|hour|day)s?$/.exec(text) ?? [];
    return value === undefined ? undefined : { kind, everyMs: Number(value) * (UNIT_MS[unit] ?? 0) };
  }
  const cron = kind === "cron" ? parseCron(text) : undefined;
  return cron && { kind: "cron", cron };
}

function parseWallTime(text: string): WallTime | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) return undefined;
  const wall = Date.parse(`${text}Z`);
  // `Date.parse` takes the 30th of February for the 1st of March.
  return Number.isNaN(wall) || !new Date(wall).toISOString().startsWith(text) ? undefined : wall;
}

/** What else decides when a schedule is due; all in Unix milliseconds. */
export type Limits = {
  zone: string;
  /** A rate counts from here. */
  anchor: number;
  startAt?: number;
  endAt?: number;
};

/**
 * The first time after `after` at which a schedule is to invoke its target, in Unix milliseconds; undefined when there
 * is none. A cron time that the clock skips does not count, and one that it shows twice counts the first time (user
 * guide, "Daylight savings time"). Neither `startAt` nor `endAt` applies to `at` (API reference, CreateSchedule).
 */
export function nextTime(timing: Timing, limits: Limits, after: number): number | undefined {
  if (timing.kind === "at") {
    const at = instantOf(limits.zone, timing.wall);
    return at > after ? at : undefined;
  }
  const { startAt = -Infinity, endAt = Infinity } = limits;
  const from = Math.max(after, startAt - 1);
  const next =
    timing.kind === "rate"
      ? nextOfRate(timing.everyMs, limits.anchor, from)
      : nextOfCron(timing.cron, limits.zone, from);
  return next === undefined || next > endAt ? undefined : next;
}

function nextOfRate(everyMs: number, anchor: number, after: number): number {
  return after < anchor ? anchor : anchor + (Math.floor((after - anchor) / everyMs) + 1) * everyMs;
}

function nextOfCron(cron: Cron, zone: string, after: number): number | undefined {
  // A time that the clock has shown already is over, even if it is shown again.
  for (const wall of wallTimesAfter(cron, wallTimeAt(zone, Math.floor(after / 1000) * 1000))) {
    const [first] = instantsOf(zone, wall);
    if (first !== undefined && first > after) return first;
  }
  return undefined;
}

/** The minutes that the expression names after `start`, ascending, up to the year in which it ends. */
function* wallTimesAfter({ minutes, hours, months, years, daysOf }: Cron, start: WallTime): Generator<WallTime> {
  const begin = new Date(start);
  const firstYear = begin.getUTCFullYear();
  for (const year of [...years].filter((year) => year >= firstYear)) {
    for (let month = year === firstYear ? begin.getUTCMonth() + 1 : 1; month <= 12; month += 1) {
      if (!months.has(month)) continue;
      for (const day of daysOf(year, month)) {
        const midnight = Date.UTC(year, month - 1, day);
        if (midnight + DAY_MS <= start) continue;
        for (const hour of hours) {
          for (const minute of minutes) {
            const wall = midnight + (hour * 60 + minute) * MINUTE_MS;
            if (wall > start) yield wall;
          }
        }
      }
    }
  }
}
