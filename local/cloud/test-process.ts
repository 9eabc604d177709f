import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { nodeFlags } from "./node-flags.ts";
import { credentials, region } from "./test-cloud.ts";

/** The cloud as a process of its own, as the launcher starts it; with these flags beside directory and port. */
export async function startCloudProcess(dataDir: string, port = 0, flags: readonly string[] = []) {
  const args = ["--data", dataDir, "--port", String(port), ...flags];
  const child = fork(fileURLToPath(new URL("main.ts", import.meta.url)), args, {
    execArgv: [...nodeFlags, "--import", "tsx"],
    env: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: region,
    },
    silent: true,
  });
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const exited = once(child, "exit");
  const ready = once(child, "message").then(([message]) => message as { type: string; endpoint: string });
  const first = await Promise.race([ready, exited.then(() => undefined)]);
  return {
    child,
    /** Undefined when the process ended instead of becoming ready. */
    endpoint: first?.type === "ready" ? first.endpoint : undefined,
    errors: () => errors,
    /** Resolves with the exit code; null after a signal. */
    stop: async (signal: "SIGTERM" | "SIGKILL"): Promise<number | null> => {
      child.kill(signal);
      await exited;
      return child.exitCode;
    },
  };
}
