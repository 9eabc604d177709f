import type { KeyBytes } from "./object-key.ts";

/** One rule of a bucket, as it was given. `legacyPrefix`: the prefix stood beside the filter, in the older form. */
export type LifecycleRule = {
  id: string;
  enabled: boolean;
  prefix: string;
  legacyPrefix: boolean;
  /** Objects end so many days after they were written, or all at a date (Unix milliseconds, a midnight). */
  expiration?: { days: number } | { date: number };
  /** Uploads that are not completed end so many days after they began. */
  abortUploadsAfterDays?: number;
};

export const DAY_MS = 24 * 3600 * 1000;

/**
 * When days are over: "adding the number of days specified in the rule to the object creation time and rounding the
 * resulting time to the next day midnight UTC" (user guide, "Lifecycle configuration elements").
 */
export function endOfDays(startedAt: number, days: number): number {
  return Math.ceil((startedAt + days * DAY_MS) / DAY_MS) * DAY_MS;
}

/** The end of an object by the rules, in Unix milliseconds, and the rule that brings it; the earliest of several. */
export function objectExpiry(
  rules: readonly LifecycleRule[],
  key: KeyBytes | string,
  modifiedAt: number,
): { at: number; ruleId: string } | undefined {
  let earliest: { at: number; ruleId: string } | undefined;
  for (const { id, enabled, prefix, expiration } of rules) {
    if (!enabled || !expiration || !key.startsWith(prefix)) continue;
    const at = "date" in expiration ? expiration.date : endOfDays(modifiedAt, expiration.days);
    if (!earliest || at < earliest.at) earliest = { at, ruleId: id };
  }
  return earliest;
}
