/** Which minutes a cron expression names, as wall time. Days of the week count from Sunday, 1. */
export type Cron = {
  minutes: readonly number[];
  hours: readonly number[];
  months: ReadonlySet<number>;
  years: ReadonlySet<number>;
  /** The days of a month that fit, ascending. */
  daysOf: (year: number, month: number) => number[];
};

type Field = { from: number; to: number; names?: readonly string[] };

const MINUTES: Field = { from: 0, to: 59 };
const HOURS: Field = { from: 0, to: 23 };
const DAYS_OF_MONTH: Field = { from: 1, to: 31 };
const MONTHS: Field = {
  from: 1,
  to: 12,
  names: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
};
const DAYS_OF_WEEK: Field = { from: 1, to: 7, names: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] };
const YEARS: Field = { from: 1970, to: 2199 };
const SATURDAY = 7;

type DaysOf = Cron["daysOf"];

/**
 * Reads `minutes hours day-of-month month day-of-week [year]` (EventBridge Scheduler user guide, "Cron-based
 * schedules", which also has the ranges and wildcards). Undefined when it is not one.
 */
export function parseCron(text: string): Cron | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) return undefined;
  const [minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = "", year = "*"] = fields;
  // One of the two says nothing, so that they cannot contradict each other.
  if ((dayOfMonth === "?") === (dayOfWeek === "?")) return undefined;
  const minutes = parseSet(minute, MINUTES);
  const hours = parseSet(hour, HOURS);
  const months = parseSet(month, MONTHS);
  const years = parseSet(year, YEARS);
  const daysOf = dayOfWeek === "?" ? parseDayOfMonth(dayOfMonth) : parseDayOfWeek(dayOfWeek);
  if (!minutes || !hours || !months || !years || !daysOf) return undefined;
  return { minutes, hours, months: new Set(months), years: new Set(years), daysOf };
}

/** A list of `*`, values and ranges, each of them with or without a step. Ascending. */
function parseSet(text: string, field: Field): number[] | undefined {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const [range = "", step, ...rest] = part.split("/");
    const bounds = parseRange(range, field, step !== undefined);
    const by = step === undefined ? 1 : parseNumber(step);
    if (!bounds || !by || rest.length > 0) return undefined;
    for (let value = bounds.from; value <= bounds.to; value += by) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

/** `stepped`: a single value then begins a range up to the end of the field. */
function parseRange(text: string, field: Field, stepped: boolean): { from: number; to: number } | undefined {
  if (text === "*") return field;
  const [first = "", last, ...rest] = text.split("-");
  const from = parseValue(first, field);
  const to = last === undefined ? (stepped ? field.to : from) : parseValue(last, field);
  if (from === undefined || to === undefined || from > to || rest.length > 0) return undefined;
  return { from, to };
}

function parseValue(text: string, { from, to, names }: Field): number | undefined {
  const named = names?.indexOf(text.toUpperCase()) ?? -1;
  const value = named === -1 ? parseNumber(text) : named + from;
  return value !== undefined && value >= from && value <= to ? value : undefined;
}

function parseNumber(text: string): number | undefined {
  return /^\d{1,4}$/.test(text) ? Number(text) : undefined;
}

/** `L`: the last day of the month. `15W`: the weekday closest to the 15th. `LW`: the last weekday. */
function parseDayOfMonth(text: string): DaysOf | undefined {
  if (text === "L") return (year, month) => [daysIn(year, month)];
  if (text === "LW") return (year, month) => [closestWeekday(year, month, daysIn(year, month))];
  const nearest = /^(\d{1,2})W$/.exec(text)?.[1];
  if (nearest !== undefined) {
    const day = parseValue(nearest, DAYS_OF_MONTH);
    if (day === undefined) return undefined;
    return (year, month) => (day > daysIn(year, month) ? [] : [closestWeekday(year, month, day)]);
  }
  const days = parseSet(text, DAYS_OF_MONTH);
  return days && ((year, month) => days.filter((day) => day <= daysIn(year, month)));
}

/** `L`: Saturday. `6L`: the last Friday of the month. `3#2`: its second Tuesday. */
function parseDayOfWeek(text: string): DaysOf | undefined {
  const special = /^(\w+?)(?:(L)|#([1-5]))$/.exec(text);
  const weekday = special?.[1] === undefined ? undefined : parseValue(special[1], DAYS_OF_WEEK);
  if (special && weekday !== undefined) {
    const [, , last, nth] = special;
    return (year, month) => {
      const days = weekdaysIn(year, month, [weekday]);
      const day = last === undefined ? days[Number(nth) - 1] : days.at(-1);
      return day === undefined ? [] : [day];
    };
  }
  const weekdays = text === "L" ? [SATURDAY] : parseSet(text, DAYS_OF_WEEK);
  return weekdays && ((year, month) => weekdaysIn(year, month, weekdays));
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function weekdayOf(year: number, month: number, day: number): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1;
}

function weekdaysIn(year: number, month: number, weekdays: readonly number[]): number[] {
  const all = Array.from({ length: daysIn(year, month) }, (_, index) => index + 1);
  return all.filter((day) => weekdays.includes(weekdayOf(year, month, day)));
}

/** Monday to Friday; never in another month. */
function closestWeekday(year: number, month: number, day: number): number {
  const weekday = weekdayOf(year, month, day);
  if (weekday === SATURDAY) return day > 1 ? day - 1 : day + 2;
  if (weekday === 1) return day < daysIn(year, month) ? day + 1 : day - 2;
  return day;
}
