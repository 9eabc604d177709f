import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextTime, parseTiming } from "./timing.ts";
import { instantOf, isZone } from "./zone.ts";

const next = (expression: string, after: string, zone = "UTC", limits: { startAt?: number; endAt?: number } = {}) => {
  const timing = parseTiming(expression);
  if (!timing) throw new Error(`${expression} is not valid`);
  const from = Date.parse(after);
  const found = nextTime(timing, { zone, anchor: from, ...limits }, from);
  return found === undefined ? undefined : new Date(found).toISOString().replace(".000", "");
};
const series = (expression: string, after: string, zone: string, count: number) => {
  const found: (string | undefined)[] = [];
  for (let from: string | undefined = after; found.length < count && from; from = found.at(-1)) {
    found.push(next(expression, from, zone));
  }
  return found;
};

describe("an at expression", () => {
  it("means a time in its zone", () => {
    expect(next("at(2026-11-20T13:00:00)", "2026-01-01T00:00:00Z", "America/Los_Angeles")).toBe("2026-11-20T21:00:00Z");
    expect(next("at(2026-01-01T12:00:30)", "2026-01-01T00:00:00Z", "Asia/Jakarta")).toBe("2026-01-01T05:00:30Z");
  });

  it("means the first of two times when the clock is put back", () => {
    expect(next("at(2026-10-25T02:30:00)", "2026-01-01T00:00:00Z", "Europe/Berlin")).toBe("2026-10-25T00:30:00Z");
  });

  it("means a time as much later as the clock is put forward when it is left out", () => {
    expect(next("at(2026-03-29T02:30:00)", "2026-01-01T00:00:00Z", "Europe/Berlin")).toBe("2026-03-29T01:30:00Z");
    // A whole day that was left out.
    expect(instantOf("Pacific/Apia", Date.parse("2011-12-30T12:00:00Z"))).toBe(Date.parse("2011-12-30T22:00:00Z"));
  });
});

describe("a rate expression", () => {
  it.each([
    ["rate(5 minutes)", "2026-01-01T00:05:00Z"],
    ["rate(1 hour)", "2026-01-01T01:00:00Z"],
    ["rate(2 days)", "2026-01-03T00:00:00Z"],
  ])("%s comes again after that time", (expression, expected) => {
    expect(next(expression, "2026-01-01T00:00:00Z")).toBe(expected);
  });

  it("has days of 24 hours, whatever the clock does", () => {
    const day = parseTiming("rate(1 days)");
    const anchor = Date.parse("2026-03-28T12:00:00Z");
    const found = day && nextTime(day, { zone: "Europe/Berlin", anchor }, anchor + 1);
    expect(found).toBe(Date.parse("2026-03-29T12:00:00Z"));
  });

  it("ends at the end date", () => {
    const endAt = Date.parse("2026-01-01T00:05:00Z");
    expect(next("rate(5 minutes)", "2026-01-01T00:00:00Z", "UTC", { endAt })).toBe("2026-01-01T00:05:00Z");
    expect(next("rate(5 minutes)", "2026-01-01T00:00:00Z", "UTC", { endAt: endAt - 1 })).toBeUndefined();
  });
});

describe("a cron expression", () => {
  it.each([
    ["cron(0 10 * * ? *)", "2026-01-01T10:00:00Z", "2026-01-02T10:00:00Z"],
    ["cron(15 12 * * ? *)", "2026-01-01T10:00:00Z", "2026-01-01T12:15:00Z"],
    ["cron(0 18 ? * MON-FRI *)", "2026-01-02T18:00:00Z", "2026-01-05T18:00:00Z"],
    ["cron(0 8 1 * ? *)", "2026-01-01T08:00:00Z", "2026-02-01T08:00:00Z"],
    ["cron(0/15 * * * ? *)", "2026-01-01T10:46:00Z", "2026-01-01T11:00:00Z"],
    ["cron(1/10 * * * ? *)", "2026-01-01T10:02:00Z", "2026-01-01T10:11:00Z"],
    ["cron(*/7 3 ? JAN,mar SUN *)", "2026-01-25T03:56:00Z", "2026-03-01T03:00:00Z"],
    ["cron(15 10 ? * 6L 2022-2030)", "2026-01-01T00:00:00Z", "2026-01-30T10:15:00Z"],
    ["cron(15 10 ? * FRIL *)", "2026-02-01T00:00:00Z", "2026-02-27T10:15:00Z"],
    ["cron(0 0 ? * 3#2 *)", "2026-01-01T00:00:00Z", "2026-01-13T00:00:00Z"],
    ["cron(0 0 ? * 2#5 *)", "2026-01-01T00:00:00Z", "2026-03-30T00:00:00Z"],
    ["cron(0 0 ? * L *)", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z"],
    ["cron(0 0 L * ? *)", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z"],
    ["cron(0 0 LW * ? *)", "2026-02-01T00:00:00Z", "2026-02-27T00:00:00Z"],
    ["cron(0 0 1W * ? *)", "2026-07-20T00:00:00Z", "2026-08-03T00:00:00Z"],
    ["cron(0 0 31W * ? *)", "2026-05-01T00:00:00Z", "2026-05-29T00:00:00Z"],
    ["cron(0 0 29 2 ? *)", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"],
    ["cron(0-15/5 8-8 ? * 2,3,4 *)", "2026-01-05T08:10:00Z", "2026-01-05T08:15:00Z"],
    ["cron(30 8 * * ?)", "2026-01-01T09:00:00Z", "2026-01-02T08:30:00Z"],
    ["cron(59 23 31 12 ? 2199)", "2026-01-01T00:00:00Z", "2199-12-31T23:59:00Z"],
  ])("%s after %s is due at %s", (expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  it("may never be due", () => {
    expect(next("cron(0 0 31 2 ? *)", "2026-01-01T00:00:00Z")).toBeUndefined();
    expect(next("cron(0 0 1 1 ? 1970-2020)", "2026-01-01T00:00:00Z")).toBeUndefined();
  });

  it("is skipped when the clock is put forward over it", () => {
    expect(series("cron(30 2 * * ? *)", "2026-03-07T12:00:00Z", "America/Los_Angeles", 2)).toEqual([
      "2026-03-09T09:30:00Z",
      "2026-03-10T09:30:00Z",
    ]);
  });

  it("is due once, before the clock is put back", () => {
    expect(series("cron(30 1 * * ? *)", "2026-10-31T12:00:00Z", "America/Los_Angeles", 2)).toEqual([
      "2026-11-01T08:30:00Z",
      "2026-11-02T09:30:00Z",
    ]);
  });

  it("is not due before the start date", () => {
    const startAt = Date.parse("2026-02-01T10:00:00Z");
    expect(next("cron(0 10 * * ? *)", "2026-01-01T00:00:00Z", "UTC", { startAt })).toBe("2026-02-01T10:00:00Z");
  });
});

describe("what is no expression", () => {
  it.each([
    "at(2026-01-01T00:00:00.5)",
    "at(2026-01-01T00:00:00Z)",
    "at(2026-02-30T00:00:00)",
    "at(2026-01-01 00:00:00)",
    "rate(0 minutes)",
    "rate(-1 minutes)",
    "rate(1.5 hours)",
    "rate(5 seconds)",
    "rate(5)",
    "cron(* * * *)",
    "cron(0 10 * * * *)",
    "cron(0 10 ? * ? *)",
    "cron(0 10 1 * MON *)",
    "cron(60 10 * * ? *)",
    "cron(0 24 * * ? *)",
    "cron(0 10 0 * ? *)",
    "cron(0 10 32W * ? *)",
    "cron(0 10 * 13 ? *)",
    "cron(0 10 ? * 8 *)",
    "cron(0 10 ? * 3#6 *)",
    "cron(0 10 ? * 3#1,6#3 *)",
    "cron(0 10 * * ? 1969)",
    "cron(5-1 10 * * ? *)",
    "cron(*/0 10 * * ? *)",
    "cron(1/2/3 10 * * ? *)",
    "cron(, 10 * * ? *)",
    "0 10 * * ? *",
    "Cron(0 10 * * ? *)",
  ])("%s", (expression) => {
    expect(parseTiming(expression)).toBeUndefined();
  });
});

describe("a zone", () => {
  it("has a name of the IANA database", () => {
    for (const name of ["UTC", "Asia/Jakarta", "America/Argentina/Buenos_Aires"]) expect(isZone(name)).toBe(true);
    for (const name of ["", "+07:00", "Mars/Olympus", "Europe/ Berlin"]) expect(isZone(name)).toBe(false);
  });
});

/** Some with unusual steps: half an hour (Lord Howe), a whole day (Apia), three quarters (Kathmandu, no change). */
const ZONES = [
  "UTC",
  "Asia/Jakarta",
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "Pacific/Apia",
  "Asia/Kathmandu",
];

/** The next minute after `after` that fits, by looking at the clock in the zone minute by minute. */
function nextByLooking(zone: string, after: number, fits: (clock: Clock) => boolean, minutes: number) {
  const format = clockOf(zone);
  const begin = Math.floor(after / 60_000) * 60_000;
  // Times that the clock showed before do not count again; no clock was ever put back by more than a day.
  const shown = new Set<string>();
  for (let at = begin - 26 * 3_600_000; at <= begin; at += 60_000) shown.add(format(at).text);
  for (let at = begin + 60_000; at <= begin + minutes * 60_000; at += 60_000) {
    const clock = format(at);
    if (!shown.has(clock.text) && fits(clock)) return at;
    shown.add(clock.text);
  }
  return undefined;
}

type Clock = { text: string; minute: number; hour: number; day: number; month: number; weekday: number };

function clockOf(zone: string): (at: number) => Clock {
  const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  return (at) => {
    const text = format.format(at);
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/[-: ]/).map(Number);
    return { text, minute, hour, day, month, weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1 };
  };
}

describe("the next time of a cron expression", () => {
  it("is the first minute that a look at the clock finds, also around the days when it is changed", () => {
    const changes = [
      ["Europe/Berlin", "2026-03-29T01:00:00Z"],
      ["Europe/Berlin", "2026-10-25T01:00:00Z"],
      ["America/New_York", "2026-03-08T07:00:00Z"],
      ["America/New_York", "2026-11-01T06:00:00Z"],
      ["Australia/Lord_Howe", "2026-04-04T15:00:00Z"],
      ["Australia/Lord_Howe", "2026-10-03T15:30:00Z"],
      ["Africa/Casablanca", "2026-02-15T02:00:00Z"],
      ["Pacific/Apia", "2011-12-30T10:00:00Z"],
    ] as const;
    const moment = fc.oneof(
      fc.tuple(fc.constantFrom(...ZONES), fc.integer({ min: Date.UTC(2010, 0), max: Date.UTC(2040, 0) })),
      fc
        .tuple(fc.constantFrom(...changes), fc.integer({ min: -36 * 3_600_000, max: 6 * 3_600_000 }))
        .map(([[zone, change], distance]) => [zone, Date.parse(change) + distance] as [string, number]),
    );
    const minutes = fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 3 });
    const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 4 });
    const weekdays = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 3, maxLength: 7 });
    fc.assert(
      fc.property(moment, minutes, hours, weekdays, ([zone, after], minutes, hours, weekdays) => {
        const timing = parseTiming(`cron(${minutes.join()} ${hours.join()} ? * ${weekdays.join()} *)`);
        const found = timing && nextTime(timing, { zone, anchor: 0 }, after);
        const fits = (clock: Clock) =>
          minutes.includes(clock.minute) && hours.includes(clock.hour) && weekdays.includes(clock.weekday);
        const expected = nextByLooking(zone, after, fits, 6 * 24 * 60);
        expect(found).toBe(expected);
      }),
      { numRuns: 150, seed: 1 },
    );
  });
});
