const WINDOW_MS = 300_000;
const FIRST_WAIT_MS = 30_000;

/**
 * What to do when WhatsApp says that another connection uses our credentials (440). Two that both come back at once would
 * end each other for ever. But the other may be a host that lost the device and did not know it yet: so the owner comes
 * back once, late, and not again when that is answered in the same way.
 */
export class Replacements {
  #lastAt = -Infinity;

  /** In how many milliseconds to come back; undefined: not at all. `now` is monotonic. */
  next(now = performance.now(), random: () => number = Math.random): number | undefined {
    const isRepeated = now - this.#lastAt < WINDOW_MS;
    this.#lastAt = now;
    return isRepeated ? undefined : FIRST_WAIT_MS * (1 + random());
  }
}
