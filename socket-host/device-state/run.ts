/** An entry is this large at most because of what it repeats: about what a request to the bucket costs by itself. */
const MAX_BYTES = 16 << 10;

/**
 * Entries in a row, each of which says again what those before it said, so that of a whole run only the last entry has
 * to be read. A record that has changed ten times meanwhile is in it once.
 */
export class Run {
  #names = new Set<string>();
  #entries = 0;

  /**
   * The entry for what has changed. `repeats`: how many entries before it, all of this run, have nothing that it has not.
   * @param encode makes a body of the records of these names as they are now
   */
  next(changed: readonly string[], encode: (names: Iterable<string>) => Buffer): { body: Buffer; repeats: number } {
    for (const name of changed) this.#names.add(name);
    let body = encode(this.#names);
    if (this.#entries > 0 && body.length > MAX_BYTES) {
      this.#names = new Set(changed);
      this.#entries = 0;
      body = encode(changed);
    }
    return { body, repeats: this.#entries++ };
  }
}
