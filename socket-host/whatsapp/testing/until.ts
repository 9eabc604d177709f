import { setTimeout } from "node:timers/promises";

/** Waits for something to become true; fails with what it waited for. */
export async function until(isSo: () => boolean | Promise<boolean>, deadlineMs = 10_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${isSo.toString()}`);
    await setTimeout(5);
  }
}
