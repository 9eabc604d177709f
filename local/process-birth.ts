import { readFile } from "node:fs/promises";

/**
 * When a process started, within which boot: tells it from a later process with the same pid. Undefined when there is
 * none, or where there is no /proc. Source: proc(5), field 22 of stat.
 */
export async function processBirth(pid: number): Promise<string | undefined> {
  try {
    const line = await readFile(`/proc/${pid}/stat`, "utf8");
    const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
    // The second field, the command, may itself hold spaces and parentheses.
    return `${boot.trim()}/${line.slice(line.lastIndexOf(")") + 2).split(" ")[19]}`;
  } catch {
    return undefined;
  }
}
