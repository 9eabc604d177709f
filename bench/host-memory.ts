import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../local/stack.ts";
import type { Stack } from "../local/stack.ts";
import { Gateway, Phone } from "../tests/support/gateway.ts";
import { report } from "./support/report.ts";

const STEPS = [1, 50, 200, 500];
const SETTLE_MS = 20_000;

/**
 * Resident memory of a socket host with connected, idle devices: after linking them, and after a restart that restores
 * them (what a host in production looks like). Linux only: it reads /proc.
 */
async function hostMemory(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), "gateway-bench-"));
  const options = { dataDir, simulator: true, port: 0 };
  const afterLinking: Record<string, number> = {};
  const afterRestart: Record<string, number> = {};
  let linked = 0;
  let stack = await startStack(options);
  try {
    const empty = await residentMiB(stack);
    for (const step of STEPS) {
      const gateway = new Gateway(stack);
      for (; linked < step; linked++) {
        await gateway.link(`memory-${linked}`, await Phone.create(stack, `62814${String(linked).padStart(8, "0")}`));
      }
      await settle();
      afterLinking[step] = await residentMiB(stack);
      await stack.dispose();
      stack = await startStack(options);
      await new Gateway(stack).connected(`memory-${linked - 1}`, 300_000);
      await settle();
      afterRestart[step] = await residentMiB(stack);
    }
    await report("host-memory", { emptyMiB: empty, afterLinkingMiB: afterLinking, afterRestartMiB: afterRestart });
  } finally {
    await stack.dispose();
    await rm(dataDir, { recursive: true, force: true });
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

async function residentMiB(stack: Stack): Promise<number> {
  const pid = stack.processes().find((one) => one.name === "socket-host-1")?.pid;
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

await hostMemory();
process.exit();
