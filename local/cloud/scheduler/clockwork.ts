import { readPayload } from "../store/data-file.ts";
import type { SchedulerContext } from "./context.ts";
import { invoke } from "./invoke.ts";
import type { Schedule } from "./schedules.ts";

/** Schedules whose inputs are in memory together: at most 256 KiB each. */
const AT_ONCE = 64;
/** The clock may be put forward or back, or the machine may have slept: no timer is trusted for longer. */
const LOOK_EVERY_MS = 250;
/** What the disk did not take is tried again after this; until then nothing else is, so that the order stays. */
const PAUSE_AFTER_ERROR_MS = 1_000;

type Options = {
  /** What the cloud is called in queue URLs. */
  host: string;
  /** Hears of invocations that failed for good and had no dead-letter queue, and of the disk's errors. */
  onFailure: (error: unknown) => void;
};

/** Invokes the targets of schedules when they are due, one timer for all of them. */
export class Clockwork {
  readonly #context: SchedulerContext;
  readonly #options: Options;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #pausedUntil = -Infinity;
  #stopped = false;

  /** Begins at once, with what was due while nobody was there. */
  constructor(context: SchedulerContext, options: Options) {
    this.#context = context;
    this.#options = options;
    context.schedules.onAgenda(() => this.#setTimer());
    this.#setTimer();
  }

  /** Finishes the invocations under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #setTimer(): void {
    if (this.#stopped || this.#running) return;
    clearTimeout(this.#timer);
    const { schedules, now } = this.#context;
    if (schedules.nextDueAt === undefined) return;
    const dueMs = Math.min(Math.max(schedules.nextDueAt - now(), 0), LOOK_EVERY_MS);
    const waitMs = Math.max(dueMs, this.#pausedUntil - performance.now());
    this.#timer = setTimeout(() => {
      this.#running = this.#invokeDue().finally(() => {
        this.#running = undefined;
        this.#setTimer();
      });
    }, waitMs);
  }

  async #invokeDue(): Promise<void> {
    while (!this.#stopped && performance.now() >= this.#pausedUntil) {
      const due = this.#context.schedules.takeDue(AT_ONCE);
      if (due.length === 0) return;
      const inputs = await Promise.all(due.map((schedule) => this.#readInput(schedule)));
      // They begin in the order in which they are due, which is then that of their messages.
      await Promise.all(due.map((schedule, index) => this.#invokeInTurn(schedule, inputs[index])));
    }
  }

  async #readInput(schedule: Schedule): Promise<{ text: string | undefined } | undefined> {
    try {
      const { input } = schedule;
      return { text: input && (await readPayload(input)).toString("utf8") };
    } catch (error) {
      this.#putOff(schedule, error);
      return undefined;
    }
  }

  async #invokeInTurn(schedule: Schedule, input: { text: string | undefined } | undefined): Promise<void> {
    if (!input) return;
    const { schedules, locks } = this.#context;
    await locks.run(`${schedule.group}/${schedule.name}`, async () => {
      // It may have been changed or deleted while it waited for its turn.
      if (schedules.get(schedule) !== schedule) return;
      try {
        const unheard = await invoke(this.#context, schedule, input.text, this.#options.host);
        if (unheard) this.#fail(schedule, unheard);
      } catch (error) {
        this.#putOff(schedule, error);
      }
    });
  }

  /** Hears of the first error only: what is due together fails together. */
  #putOff(schedule: Schedule, error: unknown): void {
    if (performance.now() >= this.#pausedUntil) this.#fail(schedule, error);
    this.#pausedUntil = performance.now() + PAUSE_AFTER_ERROR_MS;
    this.#context.schedules.putBack(schedule);
  }

  #fail({ group, name }: Schedule, cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#options.onFailure(new Error(`schedule ${group}/${name} could not invoke its target: ${reason}`, { cause }));
  }
}
