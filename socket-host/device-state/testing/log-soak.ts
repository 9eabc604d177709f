import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { simulateLogs } from "./simulate-logs.ts";

/**
 * `npm run soak:log [-- --count N] [-- --first SEED]`: so many schedules of the log, a million if not given, by one
 * process per core. Ends with code 1 when a schedule found a fault; each is printed with its seed.
 */
const BATCH = 5_000;
const TELL_EVERY = 50_000;

type Batch = { first: number; count: number };

async function soak(first: number, count: number): Promise<boolean> {
  const begin = performance.now();
  let next = first;
  let told = 0;
  const totals: Record<string, number> = {};
  const faults: string[] = [];
  const tell = () => {
    const seconds = Math.round((performance.now() - begin) / 1000);
    process.stdout.write(`${seconds} s: ${JSON.stringify(totals)}, faults: ${faults.length}\n`);
  };

  const work = async () => {
    const child = fork(fileURLToPath(import.meta.url), ["--worker"]);
    while (next < first + count && faults.length === 0) {
      const batch: Batch = { first: next, count: Math.min(BATCH, first + count - next) };
      next += batch.count;
      child.send(batch);
      const done = await new Promise<Awaited<ReturnType<typeof simulateLogs>>>((resolve) =>
        child.once("message", resolve),
      );
      const { faults: found, ...counts } = done;
      faults.push(...found);
      for (const [name, value] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + value;
      if ((totals["schedules"] ?? 0) >= told + TELL_EVERY) {
        told = totals["schedules"] ?? 0;
        tell();
      }
    }
    child.disconnect();
  };
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), Math.ceil(count / BATCH)) }, work));
  tell();
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  return faults.length === 0;
}

const { values } = parseArgs({
  options: {
    first: { type: "string", default: "1" },
    count: { type: "string", default: "1000000" },
    worker: { type: "boolean", default: false },
  },
});
if (values.worker) {
  const work = async ({ first, count }: Batch) => process.send?.(await simulateLogs(first, count));
  process.on("message", (batch: Batch) => void work(batch));
} else {
  process.exitCode = (await soak(Number(values.first), Number(values.count))) ? 0 : 1;
}
