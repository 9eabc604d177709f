import { setImmediate } from "node:timers/promises";

const MAX_UNBROKEN_MS = 10;
let turnedAt = 0;

/**
 * Gives the event loop a turn if it has not had one for a while. Cryptography never waits for anything, so phones that have
 * much of it to do ask here now and then. When many wait for the same turn, those who come late wait for the next one.
 */
export async function breathe(): Promise<void> {
  while (performance.now() - turnedAt > MAX_UNBROKEN_MS) {
    const before = turnedAt;
    await setImmediate();
    if (turnedAt === before) turnedAt = performance.now();
  }
}

/** Runs jobs one after the other. */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(async () => {
      await breathe();
      return job();
    });
    this.#tail = result.catch(() => {});
    return result;
  }

  /** When everything that was asked for until now is done. */
  async idle(): Promise<void> {
    await this.#tail;
  }
}
