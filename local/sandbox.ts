import { parseFlags } from "./flags.ts";
import { firstMessage } from "./first-message.ts";
import { runUntilStopped } from "./run-until-stopped.ts";
import { summary } from "./summary.ts";

/** `npm run sandbox`: the whole product with simulated phones in the place of WhatsApp. @returns the exit code */
export async function sandbox(args: string[]): Promise<number> {
  const flags = parseFlags(args);
  return runUntilStopped(flags, { simulator: true }, (stack) => {
    console.log(summary("The sandbox is ready.", stack, flags.dataDir));
    if (stack.simulatorUrl) console.log(firstMessage(stack.apiUrl, stack.simulatorUrl, stack.token));
    console.log("\nCtrl-C stops it.");
  });
}
