import { LaunchError } from "./launch-error.ts";
import { runScript } from "./run-script.ts";

/** Tests that are too long for every change. */
const SOAKS: Record<string, string> = {
  cloud: "local/cloud/soak/run.ts",
  simulator: "simulator/soak.ts",
  kill: "tests/soak/kill.ts",
  partition: "tests/soak/partition.ts",
  log: "socket-host/device-state/testing/log-soak.ts",
};

/** `npm run soak:<name> [-- flags]`. @returns the exit code */
export async function soak([name = "", ...args]: string[]): Promise<number> {
  const file = SOAKS[name];
  if (!file) throw new LaunchError(`there is no soak "${name}"; there are: ${Object.keys(SOAKS).join(", ")}`);
  return await runScript(file, args);
}
