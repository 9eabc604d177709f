import { expect, test } from "vitest";
import { wait } from "./wait.ts";

const never = () => false;

test("ends with what was seen first", async () => {
  let looks = 0;
  expect(await wait(async () => (++looks === 3 ? "here" : undefined), 5_000, never)).toBe("here");
  expect(looks).toBe(3);
});

test("looks at growing intervals and ends with nothing when the time is up", async () => {
  const looks: number[] = [];
  const start = performance.now();
  const seen = await wait(
    async () => {
      looks.push(performance.now() - start);
      return undefined;
    },
    120,
    never,
  );
  expect(seen).toBeUndefined();
  expect(performance.now() - start).toBeGreaterThanOrEqual(118);
  // At 0, 5, 12, 24, 41, 66, 104 ms and once more at the end; a busy machine leaves some out.
  expect(looks.length).toBeLessThanOrEqual(8);
});

test("looks once when there is no time to wait", async () => {
  let looks = 0;
  expect(await wait(async () => void looks++, 0, never)).toBeUndefined();
  expect(looks).toBe(1);
});

test("stops as soon as nobody waits any more", async () => {
  const start = performance.now();
  let looks = 0;
  expect(
    await wait(
      async () => void looks++,
      60_000,
      () => looks === 2,
    ),
  ).toBeUndefined();
  expect(performance.now() - start).toBeLessThan(1_000);
});
