type Timer = { dueAt: number; callback: () => void; handle: NodeJS.Timeout };

/**
 * The time by which codes expire and delayed answers come. It runs like the real one, and `POST /clock` lets it jump ahead,
 * so nobody has to wait for what takes minutes. What is written on stanzas (`t`) is the real time.
 */
export class Clock {
  #aheadMs = 0;
  readonly #timers = new Set<Timer>();

  /** Milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#aheadMs;
  }

  /** Calls back once, so many milliseconds from now; answers what cancels it. Does not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = {
      dueAt: this.now() + delayMs,
      callback,
      handle: this.#start(delayMs, () => this.#fire(timer)),
    };
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
    };
  }

  /** Jumps ahead; what falls due on the way happens before this returns, in its order. */
  advance(byMs: number): void {
    const until = this.now() + byMs;
    for (;;) {
      const [next] = [...this.#timers].filter((each) => each.dueAt <= until).sort((a, b) => a.dueAt - b.dueAt);
      if (!next) break;
      this.#aheadMs += Math.max(0, next.dueAt - this.now());
      this.#fire(next);
    }
    this.#aheadMs += Math.max(0, until - this.now());
    for (const timer of this.#timers) {
      clearTimeout(timer.handle);
      timer.handle = this.#start(timer.dueAt - this.now(), () => this.#fire(timer));
    }
  }

  #start(delayMs: number, fire: () => void): NodeJS.Timeout {
    return setTimeout(fire, delayMs).unref();
  }

  #fire(timer: Timer): void {
    clearTimeout(timer.handle);
    if (this.#timers.delete(timer)) timer.callback();
  }
}
