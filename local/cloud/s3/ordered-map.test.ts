import fc from "fast-check";
import { expect, it } from "vitest";
import { OrderedMap } from "./ordered-map.ts";

const key = fc.integer({ min: 0, max: 5_000 }).map((number) => `key-${number}`);
const step = fc.record({ key, remove: fc.boolean() });

it("holds what a plain map holds, in order, however many keys there are", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 3_000, maxLength: 4_000 }), key, (steps, from) => {
      const ordered = new OrderedMap<number>();
      const plain = new Map<string, number>();
      for (const [index, { key, remove }] of steps.entries()) {
        if (remove && index % 3 === 0) {
          ordered.delete(key);
          plain.delete(key);
        } else {
          ordered.set(key, index);
          plain.set(key, index);
        }
      }
      const sorted = [...plain].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(ordered.size).toBe(plain.size);
      expect([...ordered.entriesFrom("")]).toEqual(sorted);
      expect([...ordered.entriesFrom(from)]).toEqual(sorted.filter(([key]) => key >= from));
      expect(ordered.get(from)).toBe(plain.get(from));
    }),
    { numRuns: 10, seed: 1 },
  );
});

it("is empty again when everything is deleted", () => {
  const ordered = new OrderedMap<number>();
  const keys = Array.from({ length: 2_000 }, (_, index) => `${index}`);
  for (const key of keys) ordered.set(key, 1);
  for (const key of keys) ordered.delete(key);
  expect(ordered.size).toBe(0);
  expect([...ordered.entriesFrom("")]).toEqual([]);
  ordered.set("a", 2);
  expect(ordered.get("a")).toBe(2);
});
