import { fork } from "node:child_process";
import type { RawAccount } from "./raw-baileys.ts";
import type { RawAnswer, RawOrder } from "./raw-fleet.ts";

/** A process with accounts on Baileys alone, see `raw-fleet.ts`. */
export function startRawFleet() {
  const child = fork(new URL("./raw-fleet.ts", import.meta.url), {
    execArgv: ["--import", import.meta.resolve("tsx")],
    serialization: "advanced", // accounts have bytes in them
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("Baileys alone did not start");
  const ask = async (order: RawOrder) => {
    const answered = new Promise<RawAnswer>((resolve) => child.once("message", resolve));
    child.send(order);
    const answer = await answered;
    if ("reason" in answer) throw new Error(`${order.do}: ${answer.reason}`);
    return answer;
  };
  return {
    pid,
    /** @returns how long it took, in milliseconds */
    tell: async (order: RawOrder): Promise<number> => (await ask(order)).ms,
    /** Closes its connections. @returns what logs in again, here or in another such process */
    async leave(): Promise<RawAccount[]> {
      return (await ask({ do: "close" })).accounts ?? [];
    },
    end: () => child.kill(),
  };
}
