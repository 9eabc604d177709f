import { expect, it } from "vitest";
import { groupWork } from "./group-work.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));

it("does together what is asked for meanwhile, in the order of asking, and never more than it may at once", async () => {
  const batches: number[][] = [];
  let letGo = () => {};
  const double = groupWork(async (items: readonly number[]) => {
    batches.push([...items]);
    await new Promise<void>((resolve) => (letGo = resolve));
    return (item) => item * 2;
  }, 3);
  const first = [double(1), double(2)];
  await settled();
  const later = [3, 4, 5, 6].map(double);
  letGo();
  expect(await Promise.all(first)).toEqual([2, 4]);
  letGo();
  expect(await Promise.all(later.slice(0, 3))).toEqual([6, 8, 10]);
  letGo();
  expect(await later[3]).toBe(12);
  expect(batches).toEqual([[1, 2], [3, 4, 5], [6]]);
});

it("tries each alone when a batch fails, so that only the one that cannot be done is refused", async () => {
  const work = groupWork(async (items: readonly string[]) => {
    if (items.includes("bad")) throw new Error("cannot be done");
    return (item) => item.toUpperCase();
  }, 10);
  const results = await Promise.allSettled([work("a"), work("bad"), work("b")]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(await work("c")).toBe("C");
});
