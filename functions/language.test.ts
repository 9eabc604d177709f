import { expect, test } from "vitest";
import { language } from "./language.ts";

test.each([
  [undefined, "id"],
  ["", "id"],
  ["en", "en"],
  ["en-US,en;q=0.9", "en"],
  ["id-ID,id;q=0.9,en;q=0.8", "id"],
  ["de,en;q=0.3,id;q=0.2", "en"],
  ["en;q=0", "id"],
  ["en;q=nonsense", "id"],
  ["*", "id"],
] as const)("Accept-Language %s is answered in %s", (header, expected) => {
  expect(language(header)).toBe(expected);
});
