import type { Page } from "./page.ts";

const DAY_MS = 86_400_000;
const KEEP_MS = 90 * DAY_MS;
/** About 16 MiB of text: 40,000 messages of ordinary length. */
const KEEP_COUNT = 128;

/** Pages that were stored more than 90 days ago; and when there are more than 128, those with the oldest messages. */
export function expiredPages(pages: readonly Page[], now: number): Page[] {
  const old = pages.filter(({ storedAt }) => now - storedAt > KEEP_MS);
  const rest = pages.filter((page) => !old.includes(page)).sort((a, b) => a.to - b.to);
  return [...old, ...rest.slice(0, Math.max(0, rest.length - KEEP_COUNT))];
}
