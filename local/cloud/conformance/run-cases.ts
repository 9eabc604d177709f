import type { ConformanceCase } from "./case.ts";
import { schedulerCases } from "./scheduler-cases.ts";
import { s3Cases } from "./s3-cases.ts";
import { sqsCases } from "./sqs-cases.ts";
import { openTarget } from "./target.ts";
import type { TargetOptions } from "./target.ts";

/**
 * What became of a case. `deviates`: it failed, and is on the list of what is known to be different there.
 * `conforms`: it is on that list and did not fail, so the list is out of date.
 */
export type CaseResult = {
  name: string;
  outcome: "passed" | "failed" | "deviates" | "conforms" | "skipped";
  /** Of the failure, or of the deviation. */
  reason?: string;
  ms: number;
};

type Options = TargetOptions & {
  services: readonly ConformanceCase["service"][];
  /** By name of the case: what is known to be different at this target, and why. */
  deviations: Readonly<Record<string, string>>;
  onResult?: (result: CaseResult) => void;
};

/** They spend most of their time waiting, and have nothing in common. */
const AT_ONCE = 4;

/** Runs all cases, each with resources of its own. Never throws for what the target does. */
export async function runCases(options: Options): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  const waiting = [...s3Cases, ...sqsCases, ...schedulerCases];
  const runWaiting = async () => {
    for (let each = waiting.shift(); each; each = waiting.shift()) {
      const result = options.services.includes(each.service)
        ? await runCase(each, options)
        : { name: each.name, outcome: "skipped" as const, ms: 0 };
      results.push(result);
      options.onResult?.(result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runWaiting));
  return results;
}

async function runCase({ name, run }: ConformanceCase, options: Options): Promise<CaseResult> {
  const target = openTarget(options);
  const known = options.deviations[name];
  const startedAt = performance.now();
  const result = (outcome: CaseResult["outcome"], reason: string | undefined): CaseResult => {
    const ms = Math.round(performance.now() - startedAt);
    return { name, outcome, ms, ...(reason !== undefined && { reason }) };
  };
  try {
    await run(target);
    return result(known === undefined ? "passed" : "conforms", known);
  } catch (error) {
    const message = error instanceof Error ? `${error.name}: ${error.message.split("\n", 4).join(" ")}` : String(error);
    return known === undefined ? result("failed", message) : result("deviates", known);
  } finally {
    await target.dispose();
  }
}
