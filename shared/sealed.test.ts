import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { seal, unseal } from "./sealed.ts";

const key = randomBytes(32);

test("what was sealed opens with its key in its place, and no two look alike", () => {
  const sealed = seal("rahasia", key, "hook_1");
  expect(unseal(sealed, key, "hook_1")).toBe("rahasia");
  expect(sealed.includes("rahasia")).toBe(false);
  expect(seal("rahasia", key, "hook_1").equals(sealed)).toBe(false);
});

test("it does not open elsewhere, with another key, or when a bit of it was changed", () => {
  const sealed = seal("rahasia", key, "hook_1");
  expect(() => unseal(sealed, key, "hook_2")).toThrow();
  expect(() => unseal(sealed, randomBytes(32), "hook_1")).toThrow();
  for (let at = 0; at < sealed.length; at++) {
    const damaged = Buffer.from(sealed);
    damaged.writeUInt8((damaged[at] ?? 0) ^ 1, at);
    expect(() => unseal(damaged, key, "hook_1")).toThrow();
  }
});
