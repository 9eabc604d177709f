import type { PayloadLocation } from "../store/data-file.ts";
import type { Captured } from "../store/snapshot.ts";
import { toStored } from "./message.ts";
import type { Message } from "./message.ts";
import { Queue } from "./queue.ts";
import type { Deduplicated } from "./queue.ts";
import type { SqsRecord, Visibility } from "./records.ts";

/** All queues: what the journal's records of SQS add up to. */
export class Queues {
  readonly byName = new Map<string, Queue>();
  /** When a queue of this name was deleted, for the minute in which it cannot be created again. */
  readonly deletedAt = new Map<string, number>();
  readonly #now: () => number;
  #lastSequence = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Rises for ever, for all queues together; a number may be skipped. */
  nextSequence(): number {
    this.#lastSequence += 1;
    return this.#lastSequence;
  }

  apply(record: SqsRecord, payload: PayloadLocation | undefined): void {
    switch (record.type) {
      case "sqs.queue":
        return this.#setQueue(record);
      case "sqs.queueDeleted":
        this.byName.delete(record.name);
        this.deletedAt.set(record.name, this.#now());
        return;
      case "sqs.sequence":
        this.#lastSequence = Math.max(this.#lastSequence, record.last);
        return;
      case "sqs.message":
      case "sqs.dedup":
      case "sqs.visibility":
      case "sqs.deleted":
      case "sqs.moved":
      case "sqs.attempt":
      case "sqs.tags":
      case "sqs.moveTask":
      case "sqs.purged": {
        // A queue may be deleted between the decision and its commit.
        const queue = this.byName.get(record.queue);
        if (queue) this.#applyTo(queue, record, payload);
      }
    }
  }

  /** Messages do not change but for their visibility, which is replaced: it is enough to remember both. */
  capture(): Iterable<Captured<SqsRecord>> {
    return capturedRecords(this.#lastSequence, [...this.byName.values()].map(captureQueue));
  }

  #setQueue(record: Extract<SqsRecord, { type: "sqs.queue" }>): void {
    const queue = this.byName.get(record.name) ?? new Queue(record.name, record.createdAt, this.#now);
    const merged = Object.entries({ ...queue.attributes, ...record.attributes }).filter(([, value]) => value !== "");
    queue.setAttributes(Object.fromEntries(merged), record.modifiedAt);
    this.byName.set(record.name, queue);
  }

  #applyTo(
    queue: Queue,
    record: Exclude<SqsRecord, { type: "sqs.queue" | "sqs.queueDeleted" | "sqs.sequence" }>,
    payload: PayloadLocation | undefined,
  ): void {
    switch (record.type) {
      case "sqs.message": {
        this.#lastSequence = Math.max(this.#lastSequence, record.sequence);
        if (payload) queue.add(record, payload);
        return;
      }
      case "sqs.dedup": {
        const { key, id, sequence, until } = record;
        return queue.remember(key, { id, sequence, until });
      }
      case "sqs.visibility":
        return queue.setVisibility(record.id, record);
      case "sqs.deleted":
        for (const id of record.ids) queue.remove(id);
        return;
      case "sqs.purged":
        for (const id of queue.messages.keys()) queue.remove(id);
        return;
      case "sqs.moved":
        return this.#move(queue, record);
      case "sqs.attempt":
        return queue.rememberAttempt(record.attempt, record);
      case "sqs.tags":
        queue.tags = record.tags;
        return;
      case "sqs.moveTask": {
        const { type: _type, queue: _queue, handle, ...changes } = record;
        return queue.setMoveTask(handle, changes);
      }
    }
  }

  #move(from: Queue, record: Extract<SqsRecord, { type: "sqs.moved" }>): void {
    const { to, sequence, sentAt } = record;
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
    const target = this.byName.get(to);
    const message = target && from.remove(record.id);
    if (!message) return;
    const change = "source" in record ? { source: record.source } : { id: record.newId, source: undefined };
    target.add({ ...message, visibleAt: 0, receives: 0, sequence, sentAt, ...change }, message.payload);
  }
}

type CapturedQueue = {
  facts: SqsRecord[];
  name: string;
  messages: readonly Message[];
  /** Of each message. */
  visibilities: readonly Readonly<Visibility>[];
  dedupKeys: readonly string[];
  /** Of each key. */
  dedup: readonly Deduplicated[];
};

function captureQueue(queue: Queue): CapturedQueue {
  const { name, attributes, createdAt, modifiedAt, tags } = queue;
  const facts: SqsRecord[] = [
    { type: "sqs.queue", name, attributes, createdAt, modifiedAt },
    ...[...queue.attempts].map(([attempt, facts]): SqsRecord => {
      return { type: "sqs.attempt", queue: name, attempt, ...facts };
    }),
    ...queue.moveTasks.map((task): SqsRecord => ({ type: "sqs.moveTask", queue: name, ...task })),
  ];
  if (Object.keys(tags).length > 0) facts.push({ type: "sqs.tags", queue: name, tags });
  const messages = [...queue.messages.values()];
  const visibilities = messages.map(({ visibility }) => visibility);
  const { dedup } = queue;
  return { facts, name, messages, visibilities, dedupKeys: [...dedup.keys()], dedup: [...dedup.values()] };
}

/** Messages before the deduplication that refers to them (`Queue.remember`). */
function* capturedRecords(lastSequence: number, queues: readonly CapturedQueue[]): Generator<Captured<SqsRecord>> {
  yield { record: { type: "sqs.sequence", last: lastSequence } };
  for (const { facts, name, messages, visibilities, dedupKeys, dedup } of queues) {
    for (const record of facts) yield { record };
    for (const [index, message] of messages.entries()) {
      const stored = toStored(message, visibilities[index] ?? message.visibility);
      yield { record: { type: "sqs.message", queue: name, ...stored }, payload: message.payload };
    }
    for (const [index, key] of dedupKeys.entries()) {
      const answer = dedup[index];
      if (answer) yield { record: { type: "sqs.dedup", queue: name, key, ...answer } };
    }
  }
}
