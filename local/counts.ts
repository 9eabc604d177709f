import type { Outcome } from "./checks.ts";

export type Counts = { passed: number; failed: number; skipped: number };

/** Prints the output of failed checks and the last line of a test run. @returns the exit code */
export function concludeTests(checks: readonly Outcome[], tests: Counts): number {
  const broken = checks.filter((check) => !check.passed);
  for (const { name, output } of broken) console.log(`\n${name} failed\n${output}`);
  const passed = tests.passed + checks.length - broken.length;
  const failed = tests.failed + broken.length;
  console.log(`${passed} passed, ${failed} failed, ${tests.skipped} skipped`);
  return failed === 0 ? 0 : 1;
}
