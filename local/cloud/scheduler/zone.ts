/** A date and a time of day without a zone: the milliseconds that `Date.UTC` gives for them. */
export type WallTime = number;

const DAY_MS = 24 * 60 * 60_000;
/** More zones than a machine is used with; a formatter takes some 20 KB. */
const KEPT_FORMATTERS = 64;

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Whether the name is one of the IANA database. Offsets such as `+07:00`, which JavaScript would also take, are not. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    formatterOf(name);
    return true;
  } catch {
    return false;
  }
}

/** What a clock in the zone shows at an instant, to the second. */
export function wallTimeAt(zone: string, instant: number): WallTime {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatterOf(zone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/**
 * The instants at which a clock in the zone shows the time, in order: usually one, two when the clock was put back
 * over it, none when it was put forward over it.
 */
export function instantsOf(zone: string, wall: WallTime): number[] {
  const offsets = new Set([offsetAt(zone, wall - DAY_MS), offsetAt(zone, wall + DAY_MS)]);
  const candidates = [...offsets].map((offset) => wall - offset);
  return candidates.filter((instant) => wallTimeAt(zone, instant) === wall).sort((a, b) => a - b);
}

/**
 * The one instant that a single appointment means: the first if there are two; if there is none, as much later as the
 * clock was put forward (RFC 5545, 3.3.5, and `java.time`; AWS documents this for recurring schedules only).
 */
export function instantOf(zone: string, wall: WallTime): number {
  return instantsOf(zone, wall)[0] ?? wall - offsetAt(zone, wall - DAY_MS);
}

/** How far the zone's clock is ahead of UTC, in milliseconds. */
function offsetAt(zone: string, instant: number): number {
  return wallTimeAt(zone, instant) - Math.floor(instant / 1000) * 1000;
}

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known) return known;
  const formatter = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const [oldest] = formatters.keys();
  if (formatters.size >= KEPT_FORMATTERS && oldest !== undefined) formatters.delete(oldest);
  formatters.set(zone, formatter);
  return formatter;
}
