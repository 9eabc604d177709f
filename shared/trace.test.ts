import { SpanKind } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { beginStep, parseTrace, traceIdOf } from "./trace.ts";

const GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("a trace is taken only as W3C writes it", () => {
  expect(parseTrace(GIVEN)).toBe(GIVEN);
  const wrong = ["", "no", `${GIVEN}-more`, GIVEN.toUpperCase(), GIVEN.replace("00-", "ff-"), undefined, null];
  for (const text of [
    ...wrong,
    `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
    `00-${"a".repeat(32)}-${"0".repeat(16)}-01`,
  ]) {
    expect(parseTrace(text), String(text)).toBeUndefined();
  }
});

test("without an SDK a step goes on with the trace that it was given, or with a new one", () => {
  const given = parseTrace(GIVEN);
  expect(beginStep("a step", SpanKind.SERVER, given).trace).toBe(GIVEN);
  const [one, other] = [1, 2].map(() => beginStep("a step", SpanKind.SERVER, undefined).trace);
  expect(parseTrace(one)).toBe(one);
  expect(traceIdOf(one)).toMatch(/^[0-9a-f]{32}$/);
  expect(traceIdOf(one)).not.toBe(traceIdOf(other));
});
