import type { Outcome } from "./checks.ts";

export type Counts = {
  passed: number;
  failed: number;
  skipped: number;
  /** The tests that passed only when they were tried again, each with its first failure. */
  secondTries: string[];
};

/** Prints the output of failed checks and the last line of a test run. @returns the exit code */
export function concludeTests(checks: readonly Outcome[], tests: Counts): number {
  const broken = checks.filter((check) => !check.passed);
  for (const { name, output } of broken) console.log(`\n${name} failed\n${output}`);
  for (const test of tests.secondTries) console.log(`passed at its second try only: ${test}`);
  const passed = tests.passed + checks.length - broken.length;
  const failed = tests.failed + broken.length;
  console.log(`${passed} passed, ${failed} failed, ${tests.skipped} skipped`);
  return failed === 0 ? 0 : 1;
}
