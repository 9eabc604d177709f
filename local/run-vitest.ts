import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { inheritedEnvironment } from "../shared/config.ts";
import { toolFile } from "./checks.ts";
import type { Counts } from "./counts.ts";
import { REPOSITORY } from "./repository.ts";

/** The part of vitest's JSON report that is counted. A file that could not be loaded failed without any assertion. */
const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      status: z.string(),
      assertionResults: z.array(
        z.object({ status: z.string(), fullName: z.string(), failureMessages: z.array(z.string()).nullish() }),
      ),
    }),
  ),
});

/**
 * Runs vitest with its output on this terminal.
 * @param args file filters and flags of vitest
 * @param settings variables for the tests, over those of this process
 */
export async function runVitest(args: string[], settings: Record<string, string> = {}): Promise<Counts> {
  const directory = await mkdtemp(join(tmpdir(), "whatsapp-tests-"));
  const reportPath = join(directory, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportPath}`];
    const child = spawn(process.execPath, [toolFile("vitest", "vitest"), "run", ...reporters, ...args], {
      cwd: REPOSITORY,
      env: { ...inheritedEnvironment(), ...settings },
      stdio: ["ignore", "inherit", "inherit"],
    });
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return countTests(await readFile(reportPath, "utf8").catch(() => ""), code === 0);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * True counts of vitest's JSON report. A file that could not be loaded counts as one failure; so does a run that
 * failed though no test did (an unhandled error), or that left no report.
 */
export function countTests(report: string, succeeded: boolean): Counts {
  if (report === "") return { passed: 0, failed: 1, skipped: 0, secondTries: [] };
  const result = reportSchema.parse(JSON.parse(report));
  const unloaded = result.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some(({ status }) => status === "failed"),
  );
  const failed = result.numFailedTests + unloaded.length;
  return {
    passed: result.numPassedTests,
    failed: failed === 0 && !succeeded ? 1 : failed,
    skipped: result.numPendingTests + result.numTodoTests,
    secondTries: result.testResults.flatMap(({ assertionResults }) => assertionResults).flatMap(secondTry),
  };
}

type Assertion = z.output<typeof reportSchema>["testResults"][number]["assertionResults"][number];

/** A test that passed with a failure had one before it passed. */
function secondTry({ status, fullName, failureMessages }: Assertion): string[] {
  const [first] = failureMessages ?? [];
  return status === "passed" && first !== undefined ? [`${fullName}: ${first.split("\n", 1)[0]}`] : [];
}
