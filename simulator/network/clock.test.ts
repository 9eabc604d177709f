import { expect, test } from "vitest";
import { until } from "../testing/until.ts";
import { Clock } from "./clock.ts";

test("what falls due on the way happens in its order, also what was ordered meanwhile", () => {
  const clock = new Clock();
  const seen: string[] = [];
  clock.after(60_000, () => {
    seen.push("a minute");
    clock.after(1_000, () => seen.push("a second later"));
    clock.after(3_600_000, () => seen.push("too late"));
  });
  clock.after(30_000, () => seen.push("half a minute"));
  const before = clock.now();
  clock.advance(120_000);
  expect(seen).toEqual(["half a minute", "a minute", "a second later"]);
  expect(clock.now() - before).toBeGreaterThanOrEqual(120_000);
  expect(clock.now() - before).toBeLessThan(121_000);
});

test("what was cancelled never happens, and time passes by itself, too", async () => {
  const clock = new Clock();
  const seen: string[] = [];
  const cancel = clock.after(5, () => seen.push("cancelled"));
  clock.after(10, () => seen.push("later"));
  cancel();
  await until(() => seen.length > 0);
  clock.advance(1_000);
  expect(seen).toEqual(["later"]);
});

test("what is due soon is due sooner after a jump", async () => {
  const clock = new Clock();
  const seen: string[] = [];
  clock.after(60_020, () => seen.push("now"));
  clock.advance(60_000);
  await until(() => seen.length > 0);
});
