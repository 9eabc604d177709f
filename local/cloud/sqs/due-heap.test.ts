import fc from "fast-check";
import { expect, it } from "vitest";
import { DueHeap } from "./due-heap.ts";

it("forgets what is out of date, and nothing else", () => {
  const heap = new DueHeap<string>();
  const current = new Map<string, number>();
  for (let n = 0; n < 10_000; n += 1) {
    const [value, at] = [`${n % 10}`, (n * 7) % 1_000];
    current.set(value, at);
    heap.add(at, value);
    heap.add(at, value);
    heap.tidy(current.size, (value, at) => current.get(value) === at);
    expect(heap.size).toBeLessThan(1_030);
  }
  const left = new Set<string | undefined>();
  while (heap.size > 0) left.add(heap.takeDue(Infinity));
  expect(left.size).toBe(10);
});

it("gives everything that is due, the earliest first, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.array(fc.nat(50)), fc.nat(60), (first, second, now) => {
      const heap = new DueHeap<number>();
      const takeAll = (now: number) => {
        const taken = [];
        for (let value = heap.takeDue(now); value !== undefined; value = heap.takeDue(now)) taken.push(value);
        return taken;
      };
      const sorted = (times: number[]) => times.toSorted((a, b) => a - b);
      for (const at of first) heap.add(at, at);
      expect(takeAll(now)).toEqual(sorted(first.filter((at) => at <= now)));
      for (const at of second) heap.add(at, at);
      const rest = sorted([...first.filter((at) => at > now), ...second]);
      expect(heap.nextAt).toBe(rest[0]);
      expect(takeAll(Infinity)).toEqual(rest);
    }),
    { seed: 1 },
  );
});
