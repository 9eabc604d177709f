import type { ProcessHandle } from "./process-handle.ts";

/** Child processes by name. */
export type Supervisor = ReturnType<typeof createSupervisor>;
export type NamedProcess = { name: string; pid: number };

export type SupervisorHooks = {
  /** One line for the person at the terminal: a child ended or could not be started again. */
  report: (line: string) => void;
  /** The processes that run now, after one was started, ended or was stopped. */
  onChange: (processes: NamedProcess[]) => void;
};

type Child = { handle: ProcessHandle; running: boolean; stopped: AbortController; watching: Promise<void> };

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 10_000;
/** A child that ran this long is healthy: its next end is not a part of the same trouble. */
const HEALTHY_AFTER_MS = 60_000;
/** How a child ends that somebody killed, which says nothing about itself. */
const KILLED = "SIGKILL";

const longer = (delayMs: number) => Math.min(Math.max(delayMs * 2, FIRST_DELAY_MS), MAX_DELAY_MS);

/**
 * Keeps children running: one that was killed is launched again at once, one that has ended by itself after 0.1 s at first
 * and up to 10 s when it keeps ending.
 */
export function createSupervisor(hooks: SupervisorHooks) {
  const children = new Map<string, Child>();
  const processes = (): NamedProcess[] =>
    [...children].filter(([, child]) => child.running).map(([name, child]) => ({ name, pid: child.handle.pid }));
  const changed = () => hooks.onChange(processes());

  /** Launches again until it runs. False when it was stopped meanwhile. */
  async function relaunch(child: Child, launch: () => Promise<ProcessHandle>, firstDelayMs: number) {
    for (let delayMs = firstDelayMs; ; delayMs = longer(delayMs)) {
      if (!(await pause(delayMs, child.stopped.signal))) return false;
      try {
        const handle = await launch();
        child.handle = handle;
        if (!child.stopped.signal.aborted) return true;
        await handle.stop();
        return false;
      } catch (error) {
        if (child.stopped.signal.aborted) return false;
        hooks.report(error instanceof Error ? error.message : String(error));
      }
    }
  }

  async function watch(name: string, child: Child, launch: () => Promise<ProcessHandle>) {
    let delayMs = FIRST_DELAY_MS;
    for (;;) {
      const startedAt = Date.now();
      const how = await child.handle.exited;
      child.running = false;
      if (child.stopped.signal.aborted) return;
      changed();
      hooks.report(`${name} ended unexpectedly (${how}) and is started again`);
      if (how === KILLED) delayMs = 0;
      else if (Date.now() - startedAt > HEALTHY_AFTER_MS) delayMs = FIRST_DELAY_MS;
      if (!(await relaunch(child, launch, delayMs))) return;
      delayMs = longer(delayMs);
      child.running = true;
      changed();
    }
  }

  /** Sends a signal to a child; throws when none of this name runs. What comes of it is up to the child. */
  const kill = (name: string, signal: NodeJS.Signals): void => {
    const running = processes().find((process) => process.name === name);
    if (!running) throw new Error(`no process ${name} is running`);
    process.kill(running.pid, signal);
  };

  /** Stops a child for good; nothing happens when there is none of this name. */
  async function stop(name: string): Promise<void> {
    const child = children.get(name);
    if (!child) return;
    child.stopped.abort();
    if (child.running) await child.handle.stop();
    await child.watching;
    children.delete(name);
    changed();
  }

  return {
    processes,

    /** Launches a child and watches it from then on. Rejects as `launch` does when the first launch fails. */
    async start<Handle extends ProcessHandle>(name: string, launch: () => Promise<Handle>): Promise<Handle> {
      const handle = await launch();
      const stopped = new AbortController();
      const child: Child = { handle, running: true, stopped, watching: Promise.resolve() };
      children.set(name, child);
      child.watching = watch(name, child, launch);
      changed();
      return handle;
    },

    kill,
    stop,
  };
}

/** False when the signal was given before the time was over. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  return new Promise((resolve) => {
    const stop = () => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve(true);
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
