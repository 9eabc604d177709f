import type { Stack } from "../../local/stack.ts";

/** At least so long after the kill before it; a restarted host needs about a second until it logs in. */
const SHORTEST_LIFE_MS = 300;
const LONGEST_LIFE_MS = 6_000;

/** SIGKILLs hosts, one of those that run, at random moments: in the middle of work as well as of starting and logging in. */
export async function killHosts(
  stack: Stack,
  kills: number,
  onKill: (count: number) => void = () => {},
): Promise<void> {
  for (let count = 0; count < kills;) {
    const lifeMs = SHORTEST_LIFE_MS + Math.random() ** 2 * (LONGEST_LIFE_MS - SHORTEST_LIFE_MS);
    await new Promise((resolve) => setTimeout(resolve, lifeMs));
    const hosts = stack.processes().filter(({ name }) => name.startsWith("socket-host-"));
    const host = hosts[Math.floor(Math.random() * hosts.length)];
    if (!host) continue;
    stack.kill(host.name, "SIGKILL");
    onKill(++count);
  }
}
