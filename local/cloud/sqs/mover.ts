import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { SqsContext } from "./context.ts";
import type { Message } from "./message.ts";
import type { MoveTask } from "./move-task.ts";
import { queueByArn } from "./queue-names.ts";
import type { Queue } from "./queue.ts";
import type { SqsRecord } from "./records.ts";

const AT_ONCE = 100;

/**
 * Carries the move tasks of all queues out, in the background. Each step is one transaction of the messages and the
 * task's progress, so a task that was interrupted by the end of the process goes on where it was.
 */
export class Mover {
  readonly #context: SqsContext;
  readonly #onFailed: (error: unknown) => void;
  readonly #running = new Map<Queue, Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(context: SqsContext, onFailed: (error: unknown) => void) {
    this.#context = context;
    this.#onFailed = onFailed;
  }

  /** Goes on with what was under way. */
  resume(): void {
    for (const queue of this.#context.queues.byName.values()) if (activeTask(queue)) this.start(queue);
  }

  /** Sees to the queue's active task. */
  start(queue: Queue): void {
    const before = this.#running.get(queue) ?? Promise.resolve();
    const running = before.then(() => this.#run(queue)).catch(this.#onFailed);
    this.#running.set(queue, running);
    void running.then(() => this.#running.get(queue) === running && this.#running.delete(queue));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running.values());
  }

  async #run(queue: Queue): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted && this.#context.queues.byName.get(queue.name) === queue) {
      const task = activeTask(queue);
      if (!task) return;
      const moved = await this.#step(queue, task);
      if (task.messagesPerSecond === undefined || moved === 0) continue;
      await sleep((moved / task.messagesPerSecond) * 1000, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Moves some messages, or ends the task. Gives how many were moved. */
  async #step(queue: Queue, task: MoveTask): Promise<number> {
    const claimed = queue.claim(Math.min(AT_ONCE, task.messagesPerSecond ?? AT_ONCE));
    const targets = claimed.map((message) => this.#targetOf(message, task));
    const lost = targets.indexOf(undefined);
    const movable = lost === -1 ? claimed : claimed.slice(0, lost);
    const moves = movable.map((message, index): SqsRecord => ({
      type: "sqs.moved",
      queue: queue.name,
      id: message.id,
      to: targets[index]?.name ?? "",
      sequence: this.#context.queues.nextSequence(),
      sentAt: this.#context.now(),
      newId: randomUUID(),
    }));
    const ended = endOf(claimed, claimed[lost]);
    const progress: SqsRecord = {
      type: "sqs.moveTask",
      queue: queue.name,
      handle: task.handle,
      moved: task.moved + moves.length,
      ...ended,
    };
    try {
      await this.#context.commit({ records: [...moves, progress] });
    } finally {
      queue.settle(claimed);
    }
    return moves.length;
  }

  #targetOf({ source }: Message, { destination }: MoveTask): Queue | undefined {
    const { queues } = this.#context;
    if (destination !== undefined) return queues.byName.get(destination);
    return source === undefined ? undefined : queueByArn(queues, source);
  }
}

function activeTask({ moveTasks }: Queue): MoveTask | undefined {
  return moveTasks.find(({ status }) => status === "RUNNING");
}

/** Failure reasons as AWS names them for ListMessageMoveTasks. */
function endOf(claimed: readonly Message[], lost: Message | undefined): Partial<MoveTask> {
  if (claimed.length === 0) return { status: "COMPLETED" };
  if (!lost) return {};
  const reason =
    lost.source === undefined ? "CouldNotDetermineMessageSource" : "AWS.SimpleQueueService.NonExistentQueue";
  return { status: "FAILED", failureReason: reason };
}
