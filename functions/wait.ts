import { setTimeout as sleep } from "node:timers/promises";

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 200;
/** What comes is seen after at most half as long again as it took. */
const GROWTH = 1.5;

/**
 * Looks again and again, at growing intervals, until there is something to see: most answers come within a few
 * milliseconds, and the slow ones must not keep the database busy.
 * @returns undefined when the time was up, or nobody waits any more
 */
export async function wait<T>(
  look: () => Promise<T | undefined>,
  timeoutMs: number,
  isAbandoned: () => boolean,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS)) {
    const seen = await look();
    if (seen !== undefined) return seen;
    const leftMs = deadline - performance.now();
    if (leftMs < 1 || isAbandoned()) return undefined;
    await sleep(Math.min(pauseMs, leftMs));
  }
}
