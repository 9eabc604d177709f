import { readFile } from "node:fs/promises";

/** Clock ticks per second in /proc, the same on every Linux (USER_HZ; proc(5)). */
const TICKS_PER_SECOND = 100;

/** Memory that a process holds now, and the most that it ever held, in MB. Linux only. */
export async function memoryMb(pid: number): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]) / 1024;
  return { now: megabytes("VmRSS"), peak: megabytes("VmHWM") };
}

/** CPU time that a process has used so far, in milliseconds, in steps of 10. Linux only. */
export async function cpuMs(pid: number): Promise<number> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1000;
}
