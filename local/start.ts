import { parseFlags } from "./flags.ts";
import { runUntilStopped } from "./run-until-stopped.ts";
import { summary } from "./summary.ts";

/** `npm start`: the product on one machine, durable, against the real WhatsApp. @returns the exit code */
export async function start(args: string[]): Promise<number> {
  const flags = parseFlags(args);
  return runUntilStopped(flags, { simulator: false }, (stack) => {
    console.log(summary("The gateway is ready.", stack, flags.dataDir));
    console.log("\nCtrl-C stops it.");
  });
}
