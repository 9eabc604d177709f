import fc from "fast-check";
import { expect, it } from "vitest";
import { DueHeap } from "./due-heap.ts";

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
  );
});
