type Sleeper = { at: number; wake: () => void };

/** A clock that runs only when nothing else can: it jumps to the next moment at which somebody wakes up. */
export class VirtualTime {
  now = 0;
  readonly #sleepers: Sleeper[] = [];

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ at: this.now + ms, wake }));
  }

  /** Lets time pass until `work` is done. Fails when everybody waits for something that will never be. */
  async run(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    const done = work.finally(() => (isDone = true));
    done.catch(() => undefined);
    for (;;) {
      await quiet();
      if (isDone) break;
      const next = this.#takeNext();
      if (!next) throw new Error("nothing can happen any more, yet the work is not done");
      this.now = Math.max(this.now, next.at);
      next.wake();
    }
    await done;
  }

  #takeNext(): Sleeper | undefined {
    let first = 0;
    for (let index = 1; index < this.#sleepers.length; index++) {
      if ((this.#sleepers[index]?.at ?? 0) < (this.#sleepers[first]?.at ?? 0)) first = index;
    }
    return this.#sleepers.splice(first, 1)[0];
  }
}

/** Resolves when no microtask is left; a hundredth of what a turn of the event loop costs. */
const quiet = () => new Promise<void>((resolve) => process.nextTick(resolve));
