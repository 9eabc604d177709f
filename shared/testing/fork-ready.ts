import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { inheritedEnvironment } from "../config.ts";

const ROOT = join(import.meta.dirname, "../..");

/**
 * Starts a program of this repository as a child of a test and answers what it says when it is ready. `path` from the
 * root of the repository; `env` is added to this process's. Throws with its error output when it ends before.
 */
export async function forkReady<Ready>(path: string, flags: string[], env: Record<string, string> = {}) {
  const child = fork(join(ROOT, path), flags, {
    execArgv: ["--import", "tsx"],
    env: { ...inheritedEnvironment(), ...env },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let complaint = "";
  child.stderr?.on("data", (chunk) => (complaint += chunk));
  const exited = once(child, "exit");
  const ready = await Promise.race([
    once(child, "message").then(([message]) => message as Ready),
    exited.then(() => {
      throw new Error(`${path} did not start: ${complaint}`);
    }),
  ]);
  return {
    ready,
    end: async (): Promise<void> => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
