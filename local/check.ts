import { runChecks } from "./checks.ts";
import { concludeTests } from "./counts.ts";
import { runVitest } from "./run-vitest.ts";

/** `npm run check`: the fast part of `npm test`, everything but the stories in `tests/`. @returns the exit code */
export async function check(args: string[]): Promise<number> {
  const [checks, tests] = await Promise.all([runChecks(), runVitest(["--exclude", "tests/**", ...args])]);
  return concludeTests(checks, tests);
}
