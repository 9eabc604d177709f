import { LaunchError } from "./launch-error.ts";

const DEADLINE_MS = 60_000;
const REPORT_AFTER_MS = 3_000;
const POLL_INTERVAL_MS = 100;

/**
 * Waits until the API says that all its parts work and every shard is held by a host. After a crash on a database that
 * others use too, that takes until the leases of the crashed hosts have run out. Throws `LaunchError` after a minute,
 * and the signal's reason when it fires.
 */
export async function waitUntilReady(apiUrl: string, report: (line: string) => void, signal?: AbortSignal) {
  const startedAt = Date.now();
  let isReported = false;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await ask(apiUrl);
    if (answer === "ready") return;
    const waitedMs = Date.now() - startedAt;
    if (waitedMs > DEADLINE_MS) throw new LaunchError(`the API is not ready after ${DEADLINE_MS / 1000} s: ${answer}`);
    if (!isReported && waitedMs > REPORT_AFTER_MS) {
      report("waiting for the hosts to take their shards");
      isReported = true;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
  }
}

/** "ready", or why not. */
async function ask(apiUrl: string): Promise<string> {
  try {
    const response = await fetch(`${apiUrl}/health/ready`, { signal: AbortSignal.timeout(5000) });
    const body = await response.text();
    return response.ok ? "ready" : body.slice(0, 500);
  } catch (error) {
    return String(error);
  }
}
