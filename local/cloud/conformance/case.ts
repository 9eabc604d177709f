import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Target } from "./target.ts";

/** One behaviour that AWS documents. `run` throws when the target does something else. */
export type ConformanceCase = {
  service: "s3" | "sqs" | "scheduler";
  name: string;
  run: (target: Target) => Promise<void>;
};

/** Asserts that a call is refused with the error of this name. */
export async function refused(call: Promise<unknown>, name: string): Promise<void> {
  await assert.rejects(call, (error: Error) => {
    assert.equal(error.name, name);
    return true;
  });
}

/** Calls `probe` until it gives something, for what a distributed service need not know at once. Throws after `withinMs`. */
export async function eventually<T>(probe: () => Promise<T | undefined>, withinMs = 20_000): Promise<T> {
  const until = Date.now() + withinMs;
  for (;;) {
    const result = await probe();
    if (result !== undefined) return result;
    if (Date.now() > until) throw new assert.AssertionError({ message: `nothing came within ${withinMs} ms` });
    await sleep(50);
  }
}
