import { fork } from "node:child_process";
import type { RawOrder } from "./raw-fleet.ts";

/** A process with accounts on Baileys alone, see `raw-fleet.ts`. */
export function startRawFleet() {
  const child = fork(new URL("./raw-fleet.ts", import.meta.url), {
    execArgv: ["--import", import.meta.resolve("tsx")],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("Baileys alone did not start");
  return {
    pid,
    /** @returns how long it took, in milliseconds */
    async tell(order: RawOrder): Promise<number> {
      const answered = new Promise<{ ms: number } | { reason: string }>((resolve) => child.once("message", resolve));
      child.send(order);
      const answer = await answered;
      if ("reason" in answer) throw new Error(`${order.do}: ${answer.reason}`);
      return answer.ms;
    },
    close: () => child.kill(),
  };
}
