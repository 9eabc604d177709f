import { afterEach, describe, expect, it, vi } from "vitest";
import { KnownNumbers } from "./known-numbers.ts";

describe("known numbers", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("are believed for a day", () => {
    vi.useFakeTimers();
    const known = new KnownNumbers();
    known.add("6281234567890");
    expect(known.has("6281234567890")).toBe(true);
    vi.advanceTimersByTime(24 * 3_600_000);
    expect(known.has("6281234567890")).toBe(false);
  });

  it("are at most ten thousand, the oldest going first", () => {
    const known = new KnownNumbers();
    for (let n = 0; n <= 10_000; n++) known.add(String(n));
    expect([known.has("0"), known.has("1"), known.has("10000")]).toEqual([false, true, true]);
  });
});
