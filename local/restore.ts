import { bringBack } from "./backup/bring-back.ts";
import { parseBackupFlags } from "./backup/flags.ts";

/** `npm run restore -- DIR [--data DIR] [--force]`. @returns the exit code */
export async function restore(args: string[]): Promise<number> {
  const { directory, dataDir, force } = parseBackupFlags("restore", args);
  await bringBack({ source: directory, dataDir, force });
  console.log(`${dataDir} is what the backup was. It must not run anywhere else any more; \`npm start\` starts it.`);
  return 0;
}
