import type { ChildProcess } from "node:child_process";

/**
 * A running child process.
 * - `exited` resolves (never rejects) with how it ended: "exit code 1", "SIGKILL", or why it could not be started.
 * - `stop` asks it to end, forces it when a deadline has passed, and resolves when it is gone.
 */
export type ProcessHandle = { pid: number; exited: Promise<string>; stop(): Promise<void> };

/** @param stopDeadlineMs how long it may take to end after SIGTERM before it gets SIGKILL */
export function processHandle(child: ChildProcess, stopDeadlineMs: number): ProcessHandle {
  const exited = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.on("error", (error) => resolve(error.message));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    // A process that was stopped by SIGSTOP sees SIGTERM only when it runs again.
    child.kill("SIGCONT");
    const force = setTimeout(() => child.kill("SIGKILL"), stopDeadlineMs);
    await exited;
    clearTimeout(force);
  };
  return { pid: child.pid ?? 0, exited, stop };
}
