import fc from "fast-check";
import { expect, it } from "vitest";
import { Line } from "./line.ts";

const step = fc.oneof(
  fc.record({ join: fc.nat(1_000) }),
  fc.record({ leave: fc.nat(20) }),
  fc.record({ leave: fc.nat(3) }),
);

it("keeps things in order while they join near the end and leave near the front", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.nat(3_000), (steps, already) => {
      const line = new Line<{ at: number }>();
      let expected: { at: number }[] = [];
      const join = (at: number) => {
        const item = { at };
        line.add(item, (other) => other.at > at);
        const after = expected.findLastIndex((other) => other.at <= at);
        expected.splice(after + 1, 0, item);
      };
      const leave = (index: number) => {
        const item = expected[index];
        if (item) line.remove(item);
        expected = expected.filter((other) => other !== item);
      };
      for (let at = 0; at < already; at += 1) join(at);
      for (let left = 0; left < already / 2; left += 1) leave(left % 3);
      for (const one of steps) {
        if ("join" in one) join(already + one.join);
        else leave(one.leave);
      }
      expect([...line]).toEqual(expected);
      expect([line.length, line.first]).toEqual([expected.length, expected[0]]);
    }),
    { numRuns: 20, seed: 1 },
  );
});
