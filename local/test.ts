import { runChecks } from "./checks.ts";
import { concludeTests } from "./counts.ts";
import { runVitest } from "./run-vitest.ts";

/**
 * `npm test`: everything that decides whether a change is good. Arguments are vitest's (`npm test -- tests/send`);
 * `--only` leaves types, lint and format out. @returns the exit code
 */
export async function test(args: string[]): Promise<number> {
  const isOnly = args.includes("--only");
  // One after the other: stories measure deadlines, and the checks would take the processors from them.
  const checks = isOnly ? [] : await runChecks();
  const tests = await runVitest(args.filter((arg) => arg !== "--only"));
  return concludeTests(checks, tests);
}
