/** An entry is not made larger than this for the sake of those that it repeats. */
const MAX_BYTES = 64 << 10;

/**
 * Which entries the next one says again, so that they need not be read: the second of each two the first, the fourth of each
 * four the three before it, and so on, as a binary counter carries. To read n entries takes no more than log2(n) requests, and
 * an entry is 1 + log2(n) / 2 times as large as it would be alone; less, since a record that has changed ten times is in it once.
 */
export class Repeats {
  /** Of the entries that no later one repeats: the names of their records, and for how many entries each speaks. */
  #blocks: { names: Set<string>; entries: number }[] = [];

  /**
   * The entry for what has changed. `repeats`: how many entries before it, all of the same writer, hold nothing that it does
   * not hold.
   * @param encode makes a body of the records of these names as they are now
   */
  next(changed: readonly string[], encode: (names: Iterable<string>) => Buffer): { body: Buffer; repeats: number } {
    const blocks = [...this.#blocks];
    const block = { names: new Set(changed), entries: 1 };
    for (let last = blocks.at(-1); last?.entries === block.entries; last = blocks.at(-1)) {
      for (const name of last.names) block.names.add(name);
      block.entries *= 2;
      blocks.pop();
    }
    const body = encode(block.names);
    if (block.entries > 1 && body.length > MAX_BYTES) {
      this.#blocks = [{ names: new Set(changed), entries: 1 }];
      return { body: encode(changed), repeats: 0 };
    }
    this.#blocks = [...blocks, block];
    return { body, repeats: block.entries - 1 };
  }
}
