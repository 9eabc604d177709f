import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

/** `run.ts [--rounds N]`: the long soak of the local cloud, for a terminal. Exits with 1 when something was lost. */
const { values } = parseArgs({ options: { rounds: { type: "string", default: "20" } } });
const print = (line: string) => process.stdout.write(`${line}\n`);

try {
  const counts = await soak({
    rounds: Number(values.rounds),
    roundMs: { from: 1_500, to: 4_000 },
    onRound: (round, counts) => print(`round ${round}: ${JSON.stringify(counts)}`),
  });
  print(`nothing was lost, brought back or reordered: ${JSON.stringify(counts)}`);
} catch (error) {
  print(error instanceof Error ? `${error.stack}` : String(error));
  process.exitCode = 1;
}
