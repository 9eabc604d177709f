import { runChecks } from "./checks.ts";
import { concludeTests } from "./counts.ts";
import { runVitest } from "./run-vitest.ts";

/** Whole products, real sockets, servers that are killed: `npm test` runs them, they do not fit into a minute. */
const SLOW = [
  "tests/**",
  "simulator/**",
  "infra/**",
  "local/cloud/**",
  "local/database/**",
  "local/supervisor.test.ts",
  "bin/install.test.ts",
  "functions/serve.test.ts",
  "functions/contract-sweep.test.ts",
  "socket-host/whatsapp/**",
  "socket-host/device-state/log-simulation.test.ts",
];

/** `npm run check`: the fast part of `npm test`. @returns the exit code */
export async function check(args: string[]): Promise<number> {
  const slow = SLOW.flatMap((pattern) => ["--exclude", pattern]);
  const [checks, tests] = await Promise.all([runChecks(), runVitest([...slow, ...args])]);
  return concludeTests(checks, tests);
}
