import { runChecks } from "./checks.ts";
import { concludeTests } from "./counts.ts";
import { runVitest } from "./run-vitest.ts";

/** Whole products, real sockets, the routes with their database, servers that are killed: they do not fit into a minute. */
const SLOW = [
  "tests/**",
  "simulator/**",
  "infra/**",
  "local/cloud/**",
  "local/database/**",
  "local/supervisor.test.ts",
  "bin/install.test.ts",
  "functions/authorization.test.ts",
  "functions/contract-sweep.test.ts",
  "functions/routes/**",
  "functions/serve.test.ts",
  "functions/server.test.ts",
  "socket-host/chat-store/memory.test.ts",
  "socket-host/leases.test.ts",
  "socket-host/login-budget.test.ts",
  "socket-host/whatsapp/**",
  "socket-host/device-state/log-simulation.test.ts",
  "shared/db/pool.test.ts",
];

/** `npm run check`: the fast part of `npm test`. @returns the exit code */
export async function check(args: string[]): Promise<number> {
  const slow = SLOW.flatMap((pattern) => ["--exclude", pattern]);
  const [checks, tests] = await Promise.all([runChecks(), runVitest([...slow, ...args])]);
  return concludeTests(checks, tests);
}
