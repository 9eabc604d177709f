import { runScript } from "./run-script.ts";

/** `npm run simulator [-- --port N --data DIR]`: the simulated WhatsApp alone, for any Baileys program. @returns the exit code */
export async function simulator(args: string[]): Promise<number> {
  return await runScript("simulator/main.ts", args);
}
