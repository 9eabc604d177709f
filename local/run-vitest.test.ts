import { expect, test } from "vitest";
import { countTests } from "./run-vitest.ts";

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((status) => ({ status, fullName: "it works", failureMessages: [] })),
});
const report = (passed: number, failed: number, pending: number, todo: number, files: object[]) =>
  JSON.stringify({
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: todo,
    testResults: files,
  });

test("passed, failed, skipped and planned tests are counted", () => {
  const files = [file("passed", "passed", "passed", "skipped"), file("failed", "failed", "todo")];
  expect(countTests(report(2, 1, 1, 1, files), false)).toEqual({ passed: 2, failed: 1, skipped: 2, secondTries: [] });
});

test("a file that could not be loaded is a failure", () => {
  const files = [file("passed", "passed"), file("failed")];
  expect(countTests(report(1, 0, 0, 0, files), false)).toEqual({ passed: 1, failed: 1, skipped: 0, secondTries: [] });
});

test("a run that failed although every test passed is a failure", () => {
  expect(countTests(report(1, 0, 0, 0, [file("passed", "passed")]), false).failed).toBe(1);
});

test("a run without a report is a failure", () => {
  expect(countTests("", false)).toEqual({ passed: 0, failed: 1, skipped: 0, secondTries: [] });
});

test("a test that passed only when it was tried again is named, with its first failure", () => {
  const again = { status: "passed", fullName: "it is quick", failureMessages: ["Error: too late\n    at clock.ts:1"] };
  const counts = countTests(report(1, 0, 0, 0, [{ status: "passed", assertionResults: [again] }]), true);
  expect(counts).toEqual({ passed: 1, failed: 0, skipped: 0, secondTries: ["it is quick: Error: too late"] });
});
