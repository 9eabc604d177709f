import type { Storage } from "../../../shared/storage.ts";
import { LogSimulation } from "./log-simulation.ts";
import { simulatedBuiltins } from "./simulated-builtins.ts";

const MAX_FAULTS = 10;
/** After so many schedules whoever else runs in this process has a turn, in the real world. */
const TURN = 200;

/** Runs the schedules of `count` seeds, one after the other. `faults` are the first few, each with its seed. */
export async function simulateLogs(firstSeed: number, count: number, view?: (bucket: Storage) => Storage) {
  const totals = { schedules: 0, acknowledged: 0, snapshots: 0, fencings: 0, wipes: 0 };
  const faults: string[] = [];
  let builtins = simulatedBuiltins();
  for (let seed = firstSeed; seed < firstSeed + count && faults.length < MAX_FAULTS; seed++) {
    const simulation = new LogSimulation(seed, view);
    builtins.enter(simulation);
    await simulation.run();
    totals.schedules += 1;
    totals.acknowledged += simulation.counts.acknowledged;
    totals.snapshots += simulation.counts.snapshots;
    totals.fencings += simulation.counts.fencings;
    totals.wipes += simulation.counts.wipes;
    faults.push(...simulation.faults.map((fault) => `seed ${seed}: ${fault}`));
    if (seed % TURN !== 0) continue;
    builtins.restore();
    await new Promise((resolve) => setImmediate(resolve));
    builtins = simulatedBuiltins();
  }
  builtins.restore();
  return { ...totals, faults };
}
