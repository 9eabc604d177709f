const LONGEST_STRETCH_MS = 10;
let turnedAt = performance.now();

/**
 * Lets the event loop turn if it has not for 10 ms. Nothing between a stanza and its event waits for input or output, so
 * a burst would otherwise run as one chain of microtasks, and timers, lease renewals and the log itself would wait for
 * its end. Called before a decrypt and before a send; never inside one, as what belongs into one append (outbox and
 * ratchet step, ratchet step and journal) must change without a macrotask in between.
 */
export async function breathe(): Promise<void> {
  if (performance.now() - turnedAt < LONGEST_STRETCH_MS) return;
  await new Promise((resolve) => setImmediate(resolve));
  turnedAt = performance.now();
}
