import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../../local/stack.ts";
import type { Stack, StackOptions } from "../../local/stack.ts";
import { FLEET_ENVIRONMENT } from "../support/fleet.ts";

type SoakOptions = Partial<StackOptions> & {
  /** Leaves the data and the logs, and says where. */
  keep: boolean;
};

/** Every list is empty when all is well. */
type Faults = { [name: string]: string[] | object };

/** A stack for a soak, gone afterwards. Prints the verdict; the process ends with code 1 when it is not clean. */
export async function soakStack(
  { keep, ...options }: SoakOptions,
  work: (stack: Stack, say: (line: string) => void) => Promise<Faults & { counts: object }>,
): Promise<void> {
  const begin = performance.now();
  const say = (line: string) =>
    void process.stdout.write(`${Math.round((performance.now() - begin) / 1000)} s: ${line}\n`);
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-soak-"));
  const stack = await startStack({ dataDir, simulator: true, port: 0, environment: FLEET_ENVIRONMENT, ...options });
  try {
    const { counts, ...faults } = await work(stack, say);
    say(JSON.stringify(counts));
    const lists = Object.entries(faults) as [string, string[]][];
    for (const [name, list] of lists) say(`${name}: ${list.length} ${list.slice(0, 5).join("; ")}`);
    process.exitCode = lists.every(([, list]) => list.length === 0) ? 0 : 1;
  } finally {
    await stack.dispose();
    if (keep) say(`kept in ${dataDir}`);
    else await rm(dataDir, { recursive: true, force: true });
  }
}
