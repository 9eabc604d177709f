import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";

type Sleeper = { at: number; wake: () => void };

/**
 * A clock that runs only when nothing else can: it jumps to the next moment at which somebody wakes up. While `run` is
 * under way the product's own waiting (`setTimeout` of `node:timers/promises`) and its monotonic clock
 * (`performance.now()`) are this clock's.
 */
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
    const restore = replaceBuiltins(this);
    try {
      for (;;) {
        await quiet();
        if (isDone) break;
        const next = this.#takeNext();
        if (!next) throw new Error("nothing can happen any more, yet the work is not done");
        this.now = Math.max(this.now, next.at);
        next.wake();
      }
    } finally {
      restore();
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

const derivedKeys = new Map<string, ArrayBuffer>();
const { hkdfSync } = crypto;

/** Besides time: keys for the few object names that all simulations share are derived once, which is most of their cost. */
function replaceBuiltins(time: VirtualTime): () => void {
  const { setTimeout } = timers;
  timers.setTimeout = ((ms: number) => time.sleep(ms)) as typeof setTimeout;
  performance.now = () => time.now;
  crypto.hkdfSync = (...parts) => {
    const name = String(parts[3]);
    const key = derivedKeys.get(name) ?? hkdfSync(...parts);
    if (derivedKeys.size < 10_000) derivedKeys.set(name, key);
    return key;
  };
  syncBuiltinESMExports();
  return () => {
    timers.setTimeout = setTimeout;
    crypto.hkdfSync = hkdfSync;
    Reflect.deleteProperty(performance, "now");
    syncBuiltinESMExports();
  };
}
