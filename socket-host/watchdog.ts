import { Worker } from "node:worker_threads";

export type Watchdog = {
  /** Ends the process unless it is called again within `ms`; undefined lifts the threat. */
  expectWithin: (ms: number | undefined) => void;
  stop: () => Promise<void>;
};

const LOOK_EVERY_MS = 100;
const NEVER = 0n;

/** A thread of its own: it looks at the clock even while the main thread computes, or was frozen with the process. */
const THREAD = `
  const { workerData } = require("node:worker_threads");
  const deadline = new BigInt64Array(workerData);
  setInterval(() => {
    const at = Atomics.load(deadline, 0);
    if (at !== ${NEVER}n && process.hrtime.bigint() > at) process.kill(process.pid, "SIGKILL");
  }, ${LOOK_EVERY_MS});
`;

/**
 * Ends a host whose event loop has stalled for so long that its leases may be others' by now: such a host cannot close
 * its sockets itself. SIGKILL, because anything kinder would have to run on the stalled thread.
 */
export function startWatchdog(): Watchdog {
  const shared = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT);
  const deadline = new BigInt64Array(shared);
  const worker = new Worker(THREAD, { eval: true, workerData: shared, execArgv: [] });
  worker.unref();
  return {
    expectWithin(ms) {
      const at = ms === undefined ? NEVER : process.hrtime.bigint() + BigInt(Math.round(ms * 1e6));
      Atomics.store(deadline, 0, at);
    },
    async stop() {
      await worker.terminate();
    },
  };
}
