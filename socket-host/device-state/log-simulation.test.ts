import { expect, test, vi } from "vitest";
import { LogSimulation } from "./testing/log-simulation.ts";

/** Some 2 ms each. `LOG_SCHEDULES=200000 npx vitest run socket-host/device-state/log-simulation` takes its time. */
const SCHEDULES = Number(process.env["LOG_SCHEDULES"] ?? 2_000);

const running = vi.hoisted(() => ({ pause: () => Promise.resolve() }));
// The only thing that is not real: waiting between attempts takes no time, its end is drawn like everything else.
vi.mock("node:timers/promises", () => ({ setTimeout: () => running.pause() }));

test("over random schedules no acknowledged append is lost, no epoch goes back, no snapshot hides a later write", async () => {
  const begin = performance.now();
  const totals = { acknowledged: 0, snapshots: 0, fencings: 0 };
  const faults: string[] = [];
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    const simulation = new LogSimulation(seed);
    running.pause = simulation.pause;
    await simulation.run();
    totals.acknowledged += simulation.acknowledged.length;
    totals.snapshots += simulation.snapshots;
    totals.fencings += simulation.fencings;
    faults.push(...simulation.faults.map((fault) => `seed ${seed}: ${fault}`));
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  process.stdout.write(`${SCHEDULES} schedules in ${seconds} s: ${JSON.stringify(totals)}\n`);
  expect(faults.slice(0, 10)).toEqual([]);
  expect(totals.snapshots).toBeGreaterThan(SCHEDULES / 2);
}, 3_600_000);
