import { expect, test } from "vitest";
import { localTime } from "./local-time.ts";

test("writes an instant as a date and a time of the zone", () => {
  expect(localTime("Asia/Jakarta").format(new Date("2026-11-22T17:00:05.999Z"))).toBe("2026-11-23 00:00:05");
  expect(localTime("UTC").format(new Date("2026-01-02T03:04:05Z"))).toBe("2026-01-02 03:04:05");
});

test.each([
  ["Asia/Jakarta", "2026-11-22T16:59:59Z", "2026-11-21T17:00:00Z"],
  ["Asia/Jakarta", "2026-11-22T17:00:00Z", "2026-11-22T17:00:00Z"],
  ["America/New_York", "2026-11-02T04:30:00Z", "2026-11-01T04:00:00Z"],
  ["Pacific/Kiritimati", "2026-11-22T09:59:59Z", "2026-11-21T10:00:00Z"],
])("the day in %s at %s began at %s", (zone, instant, start) => {
  expect(localTime(zone).startOfDay(new Date(instant))).toEqual(new Date(start));
});

test("a day whose midnight was skipped begins at one o'clock", () => {
  const saoPaulo = localTime("America/Sao_Paulo");
  const start = saoPaulo.startOfDay(new Date("2018-11-04T15:00:00Z"));
  expect(start).toEqual(new Date("2018-11-04T03:00:00Z"));
  expect(saoPaulo.format(start)).toBe("2018-11-04 01:00:00");
});

test.each([
  ["Asia/Jakarta", "2026-11-22", "2026-11-21T17:00:00Z", 24],
  ["Pacific/Kiritimati", "2026-01-01", "2025-12-31T10:00:00Z", 24],
  ["Pacific/Pago_Pago", "2026-01-01", "2026-01-01T11:00:00Z", 24],
  ["America/New_York", "2026-11-01", "2026-11-01T04:00:00Z", 25],
  ["America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z", 23],
  // Samoa went over the date line in the night before.
  ["Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z", 0],
])("in %s the date %s begins at %s and has %d hours", (zone, date, start, hours) => {
  const { from, to } = localTime(zone).day(date);
  expect(from).toEqual(new Date(start));
  expect((to.getTime() - from.getTime()) / 3_600_000).toBe(hours);
});
