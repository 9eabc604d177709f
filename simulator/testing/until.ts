import { setTimeout } from "node:timers/promises";

const TIMEOUT_MS = 10_000;
const PAUSE_MS = 5;

/** Waits for something to become true; fails with a sentence after 10 s. */
export async function until(isSo: () => boolean | Promise<boolean>, what = isSo.toString()): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await setTimeout(PAUSE_MS);
  }
}
