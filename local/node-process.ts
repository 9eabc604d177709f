import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { LaunchError } from "./launch-error.ts";
import { openLogFile } from "./log-file.ts";
import { processHandle } from "./process-handle.ts";
import type { ProcessHandle } from "./process-handle.ts";
import { REPOSITORY } from "./repository.ts";

/** A child of ours that said it is ready; `ready` is its message, to be parsed by who knows the part. */
export type NodeProcess = ProcessHandle & { ready: unknown };

export type NodeProcessOptions = {
  name: string;
  /** What Node runs, absolute; see `buildPrograms`. */
  program: string;
  args: string[];
  /** Flags for Node itself. */
  nodeFlags?: string[];
  environment: Record<string, string | undefined>;
  /** Directory of its log, `<name>.log`: everything that it writes to stdout and stderr. */
  logs: string;
  stopDeadlineMs: number;
  /** The start is given up when it fires. */
  signal?: AbortSignal | undefined;
};

const READY_DEADLINE_MS = 60_000;
const message = z.union([
  z.looseObject({ type: z.literal("ready") }),
  z.object({ type: z.literal("failed"), message: z.string() }),
]);

/** What a child wants to be seen by the person at the terminal, not only in its log. */
const terminalMessage = z.object({ type: z.literal("terminal"), text: z.string() });

/**
 * Starts a program with a channel to this process, in a process group of its own so that Ctrl-C in the
 * terminal does not reach it, and waits for its message `{ type: "ready", … }`. Throws `LaunchError` with the reason in
 * one line when it fails, ends, stays silent for a minute or is given up instead.
 */
export async function startNodeProcess(options: NodeProcessOptions): Promise<NodeProcess> {
  const logPath = join(options.logs, `${options.name}.log`);
  const log = await openLogFile(logPath);
  const { size: logStart } = await log.stat();
  const child = spawn(
    process.execPath,
    ["--enable-source-maps", ...(options.nodeFlags ?? []), options.program, ...options.args],
    {
      cwd: REPOSITORY,
      env: options.environment,
      detached: true,
      stdio: ["ignore", log.fd, log.fd, "ipc"],
    },
  );
  await log.close();
  child.on("message", (value) => {
    const word = terminalMessage.safeParse(value);
    if (word.success) process.stdout.write(word.data.text);
  });
  const handle = processHandle(child, options.stopDeadlineMs);
  const outcome = await firstWord(child, handle.exited, options.signal);
  if (typeof outcome !== "string" && outcome.type === "ready") return { ...handle, ready: outcome };
  await handle.stop();
  const reason =
    typeof outcome === "string" ? `${outcome}: ${await lastComplaint(logPath, logStart)}` : outcome.message;
  throw new LaunchError(`${options.name} did not start: ${reason}`);
}

/** Its message, or in words what came instead of one. */
function firstWord(child: ChildProcess, exited: Promise<string>, signal: AbortSignal | undefined) {
  return new Promise<z.infer<typeof message> | string>((resolve) => {
    const finish = (outcome: z.infer<typeof message> | string) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", giveUp);
      resolve(outcome);
    };
    const giveUp = () => finish("stopped");
    const timer = setTimeout(() => finish(`not ready after ${READY_DEADLINE_MS / 1000} s`), READY_DEADLINE_MS);
    signal?.addEventListener("abort", giveUp);
    if (signal?.aborted) giveUp();
    void exited.then(finish);
    child.on("message", (value) => {
      const result = message.safeParse(value);
      if (result.success) finish(result.data);
    });
  });
}

/** The line of its log, since it was started, that most likely says why. */
async function lastComplaint(logPath: string, start: number): Promise<string> {
  const text = (await readFile(logPath)).subarray(start).toString();
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const line = lines.findLast((candidate) => /^\w*Error\b.*:/.test(candidate)) ?? lines.at(-1);
  return line ? `${line.trim().slice(0, 500)} (log: ${logPath})` : `its log ${logPath} is empty`;
}
