import { expect, test } from "vitest";
import { Replacements } from "./replacements.ts";

test("the owner comes back once, late and not in step with others, and not again within five minutes", () => {
  const replacements = new Replacements();
  expect(replacements.next(0, () => 0)).toBe(30_000);
  expect(replacements.next(31_000)).toBeUndefined();
  expect(replacements.next(330_000)).toBeUndefined();
  expect(replacements.next(630_001, () => 0.999)).toBeCloseTo(59_970, 0);
});
