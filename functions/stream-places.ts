import type { UserId } from "../shared/ids.ts";

/** Each asks the database once a second. */
const MAX_STREAMS = 200;
const MAX_OF_USER = 10;

/** How many streams a process has open, and whose. */
export class StreamPlaces {
  readonly #open = new Map<UserId, number>();

  /** Takes a place. @returns what gives it back; undefined when there is none */
  take(userId: UserId): (() => void) | undefined {
    const ofUser = this.#open.get(userId) ?? 0;
    const all = [...this.#open.values()].reduce((sum, count) => sum + count, 0);
    if (ofUser >= MAX_OF_USER || all >= MAX_STREAMS) return undefined;
    this.#open.set(userId, ofUser + 1);
    return () => {
      const left = (this.#open.get(userId) ?? 1) - 1;
      if (left) this.#open.set(userId, left);
      else this.#open.delete(userId);
    };
  }
}
