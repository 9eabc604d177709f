/** Space at the front of the array that is worth giving back. */
const WORTH_SHIFTING = 1024;

/**
 * Things in line. Joining at the end and leaving near the front take constant time however long the line is, which
 * neither `Array.shift` (moves all) nor a `Set` (skips what was deleted) does.
 */
export class Line<T> {
  #items: (T | undefined)[] = [];
  #front = 0;

  get length(): number {
    return this.#items.length - this.#front;
  }

  get first(): T | undefined {
    return this.#items[this.#front];
  }

  /** Joins before the last ones that `isAfter` it; usually there are none. */
  add(item: T, isAfter: (other: T) => boolean): void {
    this.#items.push(item);
    for (let index = this.#items.length - 1; index > this.#front; index -= 1) {
      const before = this.#items[index - 1];
      if (before === undefined || !isAfter(before)) break;
      this.#items[index - 1] = item;
      this.#items[index] = before;
    }
  }

  /** Nothing happens when it is not in line. */
  remove(item: T): void {
    const index = this.#items.indexOf(item, this.#front);
    if (index === -1) return;
    this.#items.copyWithin(this.#front + 1, this.#front, index);
    this.#items[this.#front] = undefined;
    this.#front += 1;
    if (this.#front < WORTH_SHIFTING || this.#front * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#front);
    this.#front = 0;
  }

  /** From the front. The line must not change meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    for (let index = this.#front; index < this.#items.length; index += 1) yield this.#items[index] as T;
  }
}
