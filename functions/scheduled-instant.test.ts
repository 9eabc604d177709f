import { expect, test } from "vitest";
import { scheduledInstant } from "./scheduled-instant.ts";

const at = (text: string) => new Date(text);

test.each([
  ["2026-01-01 12:00:00", "Asia/Jakarta", "2026-01-01T05:00:00Z"],
  ["2026-07-01 00:00:30", "America/New_York", "2026-07-01T04:00:30Z"],
  ["2026-02-28 23:59:59", "Asia/Kathmandu", "2026-02-28T18:14:59Z"],
  ["2028-02-29 08:00:00", "UTC", "2028-02-29T08:00:00Z"],
])("%s in %s is %s", (wallTime, zone, instant) => {
  expect(scheduledInstant(wallTime, zone)).toEqual({ outcome: "exact", at: at(instant) });
});

test.each([
  // Europe puts its clocks back at 01:00 UTC.
  ["2026-10-25 02:30:00", "Europe/Berlin", "2026-10-25T00:30:00Z"],
  ["2026-11-01 01:00:00", "America/New_York", "2026-11-01T05:00:00Z"],
])("%s comes twice in %s, and the earlier is meant", (wallTime, zone, instant) => {
  expect(scheduledInstant(wallTime, zone)).toEqual({ outcome: "repeated", at: at(instant) });
});

test.each([
  ["2026-03-29 02:00:00", "Europe/Berlin"],
  ["2026-03-29 02:59:59", "Europe/Berlin"],
  ["2026-10-04 02:15:00", "Australia/Lord_Howe"],
  // Samoa went over the date line.
  ["2011-12-30 12:00:00", "Pacific/Apia"],
])("%s never comes in %s", (wallTime, zone) => {
  expect(scheduledInstant(wallTime, zone)).toEqual({ outcome: "skipped" });
});

test.each(["2026-02-29 12:00:00", "2026-13-01 12:00:00", "2026-01-01 24:00:00", "2026-01-01 12:60:00"])(
  "%s is in no calendar",
  (wallTime) => {
    expect(scheduledInstant(wallTime, "Asia/Jakarta")).toEqual({ outcome: "invalid" });
  },
);
