import { describe, expect, it } from "vitest";
import { reconnectDelay } from "./reconnect-delay.ts";

describe("reconnectDelay", () => {
  it("begins at 5 s, doubles, and stays at 5 minutes", () => {
    const delays = [1, 2, 3, 7, 50].map((attempt) => reconnectDelay(attempt, () => 0));
    expect(delays).toEqual([5_000, 10_000, 20_000, 300_000, 300_000]);
  });

  it("takes off at most a fifth at random", () => {
    expect(reconnectDelay(1, () => 0.999)).toBeGreaterThanOrEqual(4_000);
  });
});
