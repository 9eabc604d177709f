type Entry<T> = { at: number; value: T };

/** Entries that are out of date may stay, up to this many more than those that are not. */
const MOST_STALE = 1_000;

/**
 * Things that become due at a time; the earliest first. A value that changed its mind is simply added again; `tidy` is
 * for the entries that are left behind.
 */
export class DueHeap<T> {
  #entries: Entry<T>[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** When the next value is due. */
  get nextAt(): number | undefined {
    return this.#entries[0]?.at;
  }

  add(at: number, value: T): void {
    const entries = this.#entries;
    const entry = { at, value };
    let index = entries.length;
    entries.push(entry);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = entries[above];
      if (!parent || parent.at <= at) break;
      entries[index] = parent;
      index = above;
    }
    entries[index] = entry;
  }

  /** Removes and gives the earliest value that is due, or undefined. */
  takeDue(now: number): T | undefined {
    const [first] = this.#entries;
    if (!first || first.at > now) return undefined;
    const last = this.#entries.pop();
    if (last && last !== first) this.#sinkFromTop(last);
    return first.value;
  }

  /** Forgets what is out of date when that may be most of it. `current`: how many values there are at most. */
  tidy(current: number, isCurrent: (value: T, at: number) => boolean): void {
    if (this.#entries.length <= 2 * current + MOST_STALE) return;
    const kept = new Map<T, Entry<T>>();
    for (const entry of this.#entries) if (isCurrent(entry.value, entry.at)) kept.set(entry.value, entry);
    // What is in order is a heap.
    this.#entries = [...kept.values()].sort((a, b) => a.at - b.at);
  }

  #sinkFromTop(entry: Entry<T>): void {
    const entries = this.#entries;
    let index = 0;
    for (;;) {
      const left = entries[2 * index + 1];
      const right = entries[2 * index + 2];
      const child = right && left && right.at < left.at ? right : left;
      if (!child || child.at >= entry.at) break;
      entries[index] = child;
      index = 2 * index + (child === left ? 1 : 2);
    }
    entries[index] = entry;
  }
}
