/** Halves of a full chunk: what an insertion has to move at most. */
const FULL_CHUNK = 512;

type Chunk<V> = { keys: string[]; values: V[] };

/** A map whose keys are in the order of `<`; every operation takes logarithmic time, also for a million keys. */
export class OrderedMap<V> {
  readonly #chunks: Chunk<V>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    const index = chunk ? lowerBound(chunk.keys, key) : 0;
    return chunk?.keys[index] === key ? chunk.values[index] : undefined;
  }

  set(key: string, value: V): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at] ?? { keys: [], values: [] };
    if (this.#chunks.length === 0) this.#chunks.push(chunk);
    const index = lowerBound(chunk.keys, key);
    if (chunk.keys[index] === key) {
      chunk.values[index] = value;
      return;
    }
    chunk.keys.splice(index, 0, key);
    chunk.values.splice(index, 0, value);
    this.#size += 1;
    if (chunk.keys.length > FULL_CHUNK) this.#split(at, chunk);
  }

  delete(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    const index = chunk ? lowerBound(chunk.keys, key) : 0;
    if (chunk?.keys[index] !== key) return;
    chunk.keys.splice(index, 1);
    chunk.values.splice(index, 1);
    this.#size -= 1;
    if (chunk.keys.length === 0) this.#chunks.splice(at, 1);
  }

  /** The entries whose key is not less than `key`. The map must not change meanwhile. */
  *entriesFrom(key: string): Generator<[string, V]> {
    const start = this.#chunkOf(key);
    for (let at = start; at < this.#chunks.length; at += 1) {
      const { keys, values } = this.#chunks[at] ?? { keys: [], values: [] };
      for (let index = at === start ? lowerBound(keys, key) : 0; index < keys.length; index += 1) {
        yield [keys[index] as string, values[index] as V];
      }
    }
  }

  /** The last chunk that begins at or before the key, or the first. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle]?.keys[0] ?? "") <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  #split(at: number, { keys, values }: Chunk<V>): void {
    const half = keys.length >> 1;
    this.#chunks.splice(at + 1, 0, { keys: keys.splice(half), values: values.splice(half) });
  }
}

/** The index of the first key that is not less than `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
