const FIRST_MS = 5_000;
const LONGEST_MS = 300_000;

/**
 * How long to wait before connection attempt `attempt` (1 is the first after a close): 5 s, doubled each time up to
 * 5 minutes, with up to a fifth taken off at random so that devices do not come back in step.
 */
export function reconnectDelay(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  return Math.round(full * (1 - 0.2 * random()));
}
