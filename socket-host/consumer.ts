import type { Log } from "../shared/log.ts";
import { lineOf, VISIBILITY_SECONDS } from "../shared/queue.ts";
import type { CommandQueues, Received } from "../shared/queue.ts";
import type { CommandMessage } from "../shared/commands.ts";
import { groupWork } from "../shared/group-work.ts";

/**
 * What is left of a command when the device's next one may begin. `stored`: its outcome is, and the queue message is
 * deleted. `kept`: it could not end here, and the message is given back for whoever has the shard next.
 */
export type Execution = { finished: Promise<"stored" | "kept"> };
export const STORED: Execution = { finished: Promise.resolve("stored") };
export const KEPT: Execution = { finished: Promise.resolve("kept") };

/** `error`: it should be tried again. */
export type Executed = Execution | { error: unknown };

/** Runs commands of one line, in their order, and answers for each. Never rejects. */
export type Execute = (messages: readonly CommandMessage[]) => Promise<Executed[]>;

/** Ends a command that cannot be run. Rejects when that is not possible now either. */
export type GiveUp = (message: CommandMessage) => Promise<void>;

type Held = { handle: string; message: CommandMessage; tries: number };
type Options = { shard: number; queues: CommandQueues; execute: Execute; giveUp: GiveUp; log: Log };

/** So many commands of a shard are held at once; more stay in the queue. */
const MAX_HELD = 100;
const HEARTBEAT_MS = (VISIBILITY_SECONDS * 1000) / 3;
const PAUSE_AFTER_ERROR_MS = 1_000;
/** A command that could not be run so often, while its row can be written, holds its device's others up for nothing. */
const MAX_TRIES = 10;
const BATCH = 10;

/**
 * The loop that takes a shard's commands from its queue. Within a device commands begin in the order of the queue, but for
 * those that only read; devices run side by side. A message is deleted only after its command's outcome is stored; until then it is kept
 * hidden, and when the loop stops it is given back.
 */
export class Consumer {
  readonly #options: Options;
  readonly #abort = new AbortController();
  readonly #held = new Set<string>();
  /** Of each line that is being worked off, what waits. */
  readonly #lines = new Map<string, Held[]>();
  readonly #delete: (handle: string) => Promise<void>;
  readonly #done: Promise<void>;
  readonly #heartbeat: NodeJS.Timeout;

  constructor(options: Options) {
    this.#options = options;
    this.#delete = groupWork((handles: readonly string[]) => this.#deleteAll(handles), BATCH);
    this.#done = this.#run();
    this.#heartbeat = setInterval(() => void this.#prolong(), HEARTBEAT_MS);
  }

  /** Takes nothing more; what runs gets `graceMs` to end, the rest is given back to the queue. */
  async stop(graceMs: number): Promise<void> {
    this.#abort.abort();
    await this.#done;
    const deadline = performance.now() + graceMs;
    while (this.#held.size && performance.now() < deadline) await pause(20);
    clearInterval(this.#heartbeat);
    await this.#hide(0);
  }

  async #run(): Promise<void> {
    const { shard, queues, log } = this.#options;
    while (!this.#abort.signal.aborted) {
      if (this.#held.size >= MAX_HELD) {
        await pause(20);
        continue;
      }
      try {
        const received = await queues.receive(shard, this.#abort.signal);
        for (const one of received) this.#accept(one);
      } catch (err) {
        if (this.#abort.signal.aborted) return;
        log.error({ err, shard }, "commands not received");
        await pause(PAUSE_AFTER_ERROR_MS);
      }
    }
  }

  #accept({ handle, message, receiveCount }: Received): void {
    const { log, shard } = this.#options;
    this.#held.add(handle);
    if (!message) {
      log.error({ shard }, "a queue message is no command and was dropped");
      void this.#delete(handle);
      return;
    }
    const line = lineOf(message);
    const waiting = this.#lines.get(line);
    const held = { handle, message, tries: receiveCount };
    if (waiting) waiting.push(held);
    else void this.#workOff(line, [held]);
  }

  /** What came together is run together. */
  async #workOff(line: string, waiting: Held[]): Promise<void> {
    this.#lines.set(line, waiting);
    await Promise.resolve();
    while (waiting.length) await this.#execute(waiting.splice(0));
    this.#lines.delete(line);
  }

  async #execute(line: readonly Held[]): Promise<void> {
    const { execute, log } = this.#options;
    // Given back already: whoever has the shard now runs it.
    if (this.#abort.signal.aborted) return;
    const executed = await execute(line.map(({ message }) => message));
    for (const [at, { handle, message, tries }] of line.entries()) {
      const one = executed[at];
      if (one && "finished" in one) {
        void one.finished.then((end) => (end === "stored" ? this.#delete(handle) : undefined));
        continue;
      }
      log.error({ err: one?.error, commandId: message.commandId, tries }, "command not run");
      const isGivenUp = tries >= MAX_TRIES && (await this.#couldGiveUp(message));
      // Not prolonged any more, it comes again when its invisibility ends.
      if (isGivenUp) await this.#delete(handle);
      else this.#held.delete(handle);
    }
  }

  async #couldGiveUp(message: CommandMessage): Promise<boolean> {
    try {
      await this.#options.giveUp(message);
      return true;
    } catch {
      // Nothing can be written now, so it is not the command's fault.
      return false;
    }
  }

  async #deleteAll(handles: readonly string[]) {
    const { queues, shard, log } = this.#options;
    const held = handles.filter((handle) => this.#held.delete(handle));
    if (held.length)
      await queues.delete(shard, held).catch((err: unknown) => log.warn({ err, shard }, "queue messages not deleted"));
    return () => undefined;
  }

  async #prolong(): Promise<void> {
    await this.#hide(VISIBILITY_SECONDS);
  }

  async #hide(seconds: number): Promise<void> {
    const { queues, shard, log } = this.#options;
    const handles = [...this.#held];
    for (let at = 0; at < handles.length; at += BATCH) {
      await queues
        .hide(shard, handles.slice(at, at + BATCH), seconds)
        .catch((err: unknown) => log.warn({ err, shard }, "visibility not changed"));
    }
  }
}

const pause = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs));
