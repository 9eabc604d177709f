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
