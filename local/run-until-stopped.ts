import { loadLauncherConfig } from "../shared/config.ts";
import type { Flags } from "./flags.ts";
import { removeRunFile, writeRunFile } from "./run-file.ts";
import { startStack } from "./stack.ts";
import type { Stack } from "./stack.ts";
import type { NamedProcess } from "./supervisor.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs the product until a signal: Ctrl-C, SIGTERM or the end of the terminal stop everything in order, a second one
 * at once. `run.json` is there from when everything is ready until then.
 * @param announce prints what the person needs, once it is ready
 * @returns the exit code. Rejects with what `startStack` rejects with.
 */
export async function runUntilStopped(
  flags: Flags,
  options: { simulator: boolean },
  announce: (stack: Stack) => void,
): Promise<number> {
  const config = loadLauncherConfig();
  let processes: NamedProcess[] = [];
  let exitCode = 0;
  const stopped = new AbortController();
  const stop = (reason: string) => {
    if (stopped.signal.aborted) killAll(processes);
    console.log(reason);
    stopped.abort();
  };
  for (const signal of SIGNALS) process.on(signal, () => stop("stopping …"));
  // A terminal or a pipe that is gone must not keep the rest from being stopped in order.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

  let stack: Stack | undefined;
  let written = Promise.resolve();
  const refreshRunFile = () => {
    const running = stack;
    if (!running || stopped.signal.aborted) return;
    written = written.then(() => writeRunFile(flags.dataDir, running)).catch((error) => console.error(String(error)));
  };

  try {
    stack = await startStack({
      ...options,
      dataDir: flags.dataDir,
      hosts: flags.hosts,
      port: flags.port ?? config.port,
      ...(config.database && { databaseUrl: config.database.url }),
      signal: stopped.signal,
      report: (line) => console.error(line),
      onChange: (now) => {
        processes = now;
        refreshRunFile();
      },
      onLost: (reason) => {
        exitCode = 1;
        stop(reason);
      },
    });
  } catch (error) {
    // A step that was cut short by the same Ctrl-C fails in its own way: that is no news.
    if (stopped.signal.aborted) return exitCode;
    throw error;
  }
  refreshRunFile();
  await written;
  if (!stopped.signal.aborted) announce(stack);

  await new Promise((resolve) => {
    if (stopped.signal.aborted) resolve(undefined);
    stopped.signal.addEventListener("abort", resolve);
  });
  await written;
  await removeRunFile(flags.dataDir);
  await stack.dispose();
  return exitCode;
}

/** The second signal: no hand-over, no waiting. The database is stopped by its keeper, as after any sudden end. */
function killAll(processes: readonly NamedProcess[]): never {
  for (const { pid } of processes.filter(({ name }) => name !== "database")) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  process.exit(1);
}
