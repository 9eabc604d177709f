import * as requestCounts from "../shared/db/request-counts.ts";
import { WINDOW_SECONDS } from "../shared/db/request-counts.ts";
import type { Database } from "../shared/db/pool.ts";

/** What a caller has left in this minute. */
export type Budget = { limit: number; remaining: number; resetsInSeconds: number; isSpent: boolean };

/**
 * A process tells the database of a caller's requests when it has counted this part of the limit. A row for every
 * request would cost more than most requests; this way a caller gets at most so much too many from each process.
 */
const UNTOLD_PART = 1 / 100;

/**
 * Counts requests by the minute, over all processes.
 * @param limit requests a minute
 */
export function createRateLimiter(database: Database, limit: number): (subject: string) => Promise<Budget> {
  const mostUntold = Math.max(1, Math.floor(limit * UNTOLD_PART));
  let window = 0;
  let counts = new Map<string, { total: number; untold: number }>();

  return async (subject) => {
    const seconds = Date.now() / 1000;
    const current = requestCounts.windowAt(seconds);
    if (current !== window) {
      window = current;
      counts = new Map();
    }
    const count = counts.get(subject) ?? { total: 0, untold: 0 };
    counts.set(subject, count);
    const wasSpent = count.total >= limit;
    if (!wasSpent) {
      count.total++;
      count.untold++;
    }
    if (count.untold >= mostUntold) {
      const told = count.untold;
      count.untold = 0;
      const total = await requestCounts.add(database, subject, current, told);
      count.total = Math.max(count.total, total + count.untold);
    }
    const resetsInSeconds = Math.ceil((current + 1) * WINDOW_SECONDS - seconds);
    const isSpent = wasSpent || count.total > limit;
    return { limit, remaining: Math.max(0, limit - count.total), resetsInSeconds, isSpent };
  };
}

/** The headers of draft-ietf-httpapi-ratelimit-headers-10. */
export const budgetHeaders = ({ limit, remaining, resetsInSeconds }: Budget) => ({
  "RateLimit-Policy": `"minute";q=${limit};w=${WINDOW_SECONDS}`,
  RateLimit: `"minute";r=${remaining};t=${resetsInSeconds}`,
});
