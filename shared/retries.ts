/**
 * When a delivery that failed is tried again. Webhooks: the schedule of the Standard Webhooks specification, ten tries in
 * a little over three days. A chatbot's answer is worth nothing an hour later.
 */
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const WEBHOOK_DELAYS_MS = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];
const CHATBOT_DELAYS_MS = [2 * SECOND, 20 * SECOND];
const DELAYS_MS = { webhook: WEBHOOK_DELAYS_MS, chatbot: CHATBOT_DELAYS_MS };
/** Of each delay up to this part more, so that what failed together does not come back together. */
const JITTER = 0.2;
const LONGEST_RETRY_AFTER_MS = 24 * HOUR;

/** After so long a delivery is given up, however often it was tried: its receiver may have been paused. */
export const WEBHOOK_WAIT_SECONDS = 4 * 24 * 3_600;
export const CHATBOT_WAIT_SECONDS = 10 * 60;
/** How long the log of ended deliveries goes back. */
export const DELIVERY_LOG_SECONDS = 30 * 24 * 3_600;

/** A receiver that has failed so often in a row is paused, each time for twice as long. */
const FAILURES_TO_PAUSE = 10;
const FIRST_PAUSE_MS = 10 * SECOND;
const LONGEST_PAUSE_MS = 10 * MINUTE;
/** A webhook that has only failed for so long is disabled. */
export const FAILING_SECONDS_TO_DISABLE = 5 * 24 * 3_600;

export type EndpointKind = keyof typeof DELAYS_MS;

/**
 * @param tries how often it was tried, the failed one included
 * @param retryAfterMs what the receiver asked for
 * @param random 0 to 1
 * @returns undefined when it was the last
 */
export function retryDelayMs(
  kind: EndpointKind,
  tries: number,
  retryAfterMs = 0,
  random: number = Math.random(),
): number | undefined {
  const delay = DELAYS_MS[kind][tries - 1];
  if (delay === undefined) return undefined;
  return Math.round(Math.max(delay * (1 + JITTER * random), Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS)));
}

/** How long a receiver is left alone after so many failures in a row; 0: it is not. */
export function pauseMs(failures: number): number {
  if (failures < FAILURES_TO_PAUSE) return 0;
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(failures - FAILURES_TO_PAUSE, 20), LONGEST_PAUSE_MS);
}

/** Of tries that were made together, only so many count that the first pause is not longer for it. */
export function countFailures(before: number, failed: number): number {
  return before < FAILURES_TO_PAUSE ? Math.min(before + failed, FAILURES_TO_PAUSE) : before + 1;
}

/** The header of RFC 9110, 10.2.3: seconds, or a date. Undefined when it is neither. */
export function parseRetryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * SECOND;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
