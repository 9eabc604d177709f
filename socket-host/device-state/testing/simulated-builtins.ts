import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers/promises";
import type { VirtualTime } from "./virtual-time.ts";

/** The world of the schedule that runs now. */
type World = { time: VirtualTime; random: () => number };

const real = { setTimeout: timers.setTimeout, hkdfSync: crypto.hkdfSync, randomBytes: crypto.randomBytes };
const ONE_KEY = new Uint8Array(32).fill(5).buffer;

/**
 * Puts simulated time and chance under the product's own code: `setTimeout` of `node:timers/promises`,
 * `performance.now()` and `randomBytes`. Keys are not derived, which would take half of the time: every object has the same.
 * @returns `enter` changes the world, `restore` brings the real one back
 */
export function simulatedBuiltins(): { enter: (world: World) => void; restore: () => void } {
  let world: World | undefined;
  const setTimeout = (ms: number) => world?.time.sleep(ms);
  const randomBytes = (size: number) => {
    const bytes = Buffer.alloc(size);
    for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((world?.random() ?? 0) * 2 ** 32, at);
    return bytes;
  };
  Object.assign(timers, { setTimeout });
  Object.assign(crypto, { hkdfSync: () => ONE_KEY, randomBytes });
  performance.now = () => world?.time.now ?? 0;
  syncBuiltinESMExports();
  return {
    enter(next) {
      world = next;
    },
    restore() {
      Object.assign(timers, { setTimeout: real.setTimeout });
      Object.assign(crypto, { hkdfSync: real.hkdfSync, randomBytes: real.randomBytes });
      Reflect.deleteProperty(performance, "now");
      syncBuiltinESMExports();
    },
  };
}
