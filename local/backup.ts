import { backUp } from "./backup/back-up.ts";
import { parseBackupFlags } from "./backup/flags.ts";

/** `npm run backup -- DIR [--data DIR]`. @returns the exit code */
export async function backup(args: string[]): Promise<number> {
  const { directory, dataDir } = parseBackupFlags("backup", args);
  await backUp({ dataDir, target: directory });
  console.log(`${directory} holds everything of ${dataDir}, and the key to it: keep it where nobody else can read it.`);
  return 0;
}
