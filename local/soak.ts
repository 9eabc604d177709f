import { concludeTests } from "./counts.ts";
import { LaunchError } from "./launch-error.ts";
import { runScript } from "./run-script.ts";
import { runVitest } from "./run-vitest.ts";

/** Tests that are too long for every change. */
const SOAKS: Record<string, string> = {
  cloud: "local/cloud/soak/run.ts",
  simulator: "simulator/soak.ts",
  kill: "tests/soak/kill.ts",
  webhooks: "tests/soak/webhooks.ts",
  partition: "tests/soak/partition.ts",
  log: "socket-host/device-state/testing/log-soak.ts",
};

/** Requests for every operation; `npm test` makes 200. */
const SWEEP_RUNS = "2000";

/** `npm run soak:<name> [-- flags]`. @returns the exit code */
export async function soak([name = "", ...args]: string[]): Promise<number> {
  if (name === "api") {
    return concludeTests([], await runVitest(["functions/contract-sweep.test.ts", ...args], { SWEEP_RUNS }));
  }
  const file = SOAKS[name];
  if (!file) throw new LaunchError(`there is no soak "${name}"; there are: api, ${Object.keys(SOAKS).join(", ")}`);
  return await runScript(file, args);
}
