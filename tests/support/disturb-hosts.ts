import type { Stack } from "../../local/stack.ts";
import type { disturbedHosts } from "./disturbed-hosts.ts";
import type { Disturbance } from "./disturbances.ts";

/** Lets two hosts suffer one disturbance after the other, each for a while, with a moment of peace in between. */
export async function disturbHosts(
  stack: Stack,
  hosts: ReturnType<typeof disturbedHosts>,
  { disturbances, eachMs, peaceMs }: { disturbances: readonly Disturbance[]; eachMs: number; peaceMs: number },
  onBegin: (name: string) => void = () => {},
): Promise<void> {
  for (const { name, begin } of disturbances) {
    onBegin(name);
    const end = begin(stack, hosts.of(1), hosts.of(2));
    await new Promise((resolve) => setTimeout(resolve, eachMs));
    end();
    await new Promise((resolve) => setTimeout(resolve, peaceMs));
  }
}
