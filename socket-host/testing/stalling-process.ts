import { startWatchdog } from "../watchdog.ts";

/** Keeps its promise three times, then computes for ever. */
const watchdog = startWatchdog();
for (let turn = 0; turn < 3; turn++) {
  watchdog.expectWithin(600);
  await new Promise((resolve) => setTimeout(resolve, 300));
}
process.send?.("stalling");
for (;;) Math.random();
