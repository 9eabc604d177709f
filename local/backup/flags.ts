import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { LaunchError } from "../launch-error.ts";
import { REPOSITORY } from "../repository.ts";

export type BackupFlags = { directory: string; dataDir: string; force: boolean };

/** What `backup` and `restore` are given. Throws `LaunchError` that says what is wrong with it. */
export function parseBackupFlags(command: "backup" | "restore", args: string[]): BackupFlags {
  const usage = `npm run ${command} -- DIR [--data DIR]${command === "restore" ? " [--force]" : ""}`;
  try {
    const options = { data: { type: "string" }, force: { type: "boolean" } } as const;
    const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true });
    const [directory, ...more] = positionals;
    if (!directory || more.length > 0) throw new Error("one directory is to be named");
    if (values.force && command === "backup") throw new Error("a backup replaces nothing");
    const dataDir = resolve(values.data ?? join(REPOSITORY, ".local"));
    return { directory: resolve(directory), dataDir, force: values.force === true };
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split(". ");
    throw new LaunchError(`${reason}. Usage: ${usage}`, { cause });
  }
}
