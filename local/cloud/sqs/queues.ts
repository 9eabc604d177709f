import type { PayloadLocation } from "../store/data-file.ts";
import type { Captured } from "../store/snapshot.ts";
import type { Message } from "./message.ts";
import { Queue } from "./queue.ts";
import type { SqsRecord, StoredMessage } from "./records.ts";

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
      case "sqs.purged": {
        // A queue may be deleted between the decision and its commit.
        const queue = this.byName.get(record.queue);
        if (queue) this.#applyTo(queue, record, payload);
      }
    }
  }

  *#captureQueue(queue: Queue): Generator<Captured<SqsRecord>> {
    const { name, attributes, createdAt, modifiedAt } = queue;
    yield { record: { type: "sqs.queue", name, attributes, createdAt, modifiedAt } };
    for (const [key, { id, sequence, until }] of queue.dedup) {
      yield { record: { type: "sqs.dedup", queue: name, key, id, sequence, until } };
    }
    for (const message of queue.messages.values()) {
      const record: SqsRecord = { type: "sqs.message", queue: name, ...storedPart(message) };
      yield { record, payload: message.payload };
    }
  }

  /** Copies: messages change while the snapshot is written. */
  capture(): Captured<SqsRecord>[] {
    const queues = [...this.byName.values()].flatMap((queue) => [...this.#captureQueue(queue)]);
    return [{ record: { type: "sqs.sequence", last: this.#lastSequence } }, ...queues];
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
        const { type: _type, queue: _queue, ...stored } = record;
        this.#lastSequence = Math.max(this.#lastSequence, stored.sequence);
        if (payload) queue.add(stored, payload);
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
    }
  }

  #move(from: Queue, { id, to, sequence, sentAt, source }: Extract<SqsRecord, { type: "sqs.moved" }>): void {
    this.#lastSequence = Math.max(this.#lastSequence, sequence);
    const target = this.byName.get(to);
    const message = target && from.remove(id);
    if (!message) return;
    const { firstReceivedAt: _first, receipt: _receipt, ...kept } = storedPart(message);
    target.add({ ...kept, sequence, sentAt, source, visibleAt: 0, receives: 0 }, message.payload);
  }
}

function storedPart(message: Message): StoredMessage {
  const { payload: _payload, claimed: _claimed, place: _place, ...stored } = message;
  return stored;
}
