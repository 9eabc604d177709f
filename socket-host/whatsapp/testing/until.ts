import { setTimeout } from "node:timers/promises";

const DEADLINE_MS = 10_000;

/** Waits for something to become true; fails with what it waited for. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${isSo.toString()}`);
    await setTimeout(5);
  }
}
