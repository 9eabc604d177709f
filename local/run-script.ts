import { spawn } from "node:child_process";
import { join } from "node:path";
import { inheritedEnvironment } from "../shared/config.ts";
import { REPOSITORY } from "./repository.ts";

/** Runs a program of the repository in the foreground, as a process of its own. @returns its exit code */
export async function runScript(file: string, args: readonly string[]): Promise<number> {
  const program = ["--import", import.meta.resolve("tsx"), join(REPOSITORY, file), ...args];
  const env = { ...inheritedEnvironment(), AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" };
  const child = spawn(process.execPath, program, { env, stdio: "inherit" });
  // Ctrl-C reaches both; the program ends in its own way, and this process after it.
  const leaveItToTheChild = () => undefined;
  process.on("SIGINT", leaveItToTheChild);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  process.off("SIGINT", leaveItToTheChild);
  return code ?? 1;
}
