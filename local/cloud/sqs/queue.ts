import type { PayloadLocation } from "../store/data-file.ts";
import { KeyLocks } from "../key-locks.ts";
import { DueHeap } from "./due-heap.ts";
import { fifoOrder } from "./fifo-order.ts";
import { toMessage, toVisibility } from "./message.ts";
import type { DeliveryOrder, Message, Place } from "./message.ts";
import type { MoveTask } from "./move-task.ts";
import { settingsOf } from "./queue-attributes.ts";
import type { QueueAttributes, QueueSettings } from "./queue-attributes.ts";
import type { ReceiveAttempt, StoredMessage, Visibility } from "./records.ts";
import { standardOrder } from "./standard-order.ts";

/** The answer that a repeated send gets. `until` in Unix milliseconds. */
export type Deduplicated = { id: string; sequence: number; until: number };

/** API reference, ListMessageMoveTasks: "Gets the most recent message movement tasks (up to 10)". */
const KEPT_MOVE_TASKS = 10;

/** One queue in memory. Durable state changes only from records; claims and waiters are of this process. */
export class Queue {
  readonly name: string;
  readonly createdAt: number;
  readonly messages = new Map<string, Message>();
  readonly counts: Record<Place, number> = { available: 0, delayed: 0, inFlight: 0 };
  /** In the order of `until`. */
  readonly dedup = new Map<string, Deduplicated>();
  /** Sends that are being written, by their deduplication key. */
  readonly sending = new Map<string, Promise<unknown>>();
  /** Receives that can be repeated, by attempt id; about in the order of `until`. */
  readonly attempts = new Map<string, ReceiveAttempt>();
  /** Receives of the same attempt take turns. */
  readonly attemptLocks = new KeyLocks();
  /** The newest last. */
  readonly moveTasks: MoveTask[] = [];
  tags: Readonly<Record<string, string>> = {};
  purgedAt = -Infinity;
  #attributes: QueueAttributes = {};
  #settings: QueueSettings;
  #modifiedAt: number;
  /** No message was sent before this. */
  #oldestSentAt = Infinity;
  readonly #now: () => number;
  readonly #order: DeliveryOrder;
  readonly #hidden = new DueHeap<Message>();
  readonly #waiting = new Set<() => void>();

  constructor(name: string, createdAt: number, now: () => number) {
    this.name = name;
    this.createdAt = createdAt;
    this.#modifiedAt = createdAt;
    this.#now = now;
    this.#settings = settingsOf({}, this.fifo);
    this.#order = this.fifo ? fifoOrder() : standardOrder();
  }

  get fifo(): boolean {
    return this.name.endsWith(".fifo");
  }

  get attributes(): QueueAttributes {
    return this.#attributes;
  }

  get settings(): QueueSettings {
    return this.#settings;
  }

  get modifiedAt(): number {
    return this.#modifiedAt;
  }

  setAttributes(attributes: QueueAttributes, modifiedAt: number): void {
    this.#attributes = attributes;
    this.#settings = settingsOf(attributes, this.fifo);
    this.#modifiedAt = modifiedAt;
  }

  add(stored: StoredMessage, payload: PayloadLocation): void {
    const message = toMessage(stored, payload);
    message.place = this.#placeOf(message);
    this.messages.set(message.id, message);
    this.counts[message.place] += 1;
    this.#oldestSentAt = Math.min(this.#oldestSentAt, message.sentAt);
    this.#hide(message);
    this.#order.add(message);
    this.#wake();
  }

  remove(id: string): Message | undefined {
    const message = this.messages.get(id);
    if (!message) return undefined;
    this.messages.delete(id);
    this.counts[message.place] -= 1;
    this.#order.remove(message);
    this.#tidyHidden();
    this.#wake();
    return message;
  }

  setVisibility(id: string, visibility: Visibility): void {
    const message = this.messages.get(id);
    if (!message) return;
    message.visibility = toVisibility(visibility);
    this.#hide(message);
    this.#place(message);
  }

  /** At most `max` messages that are receivable now. Nobody else gets them until they are settled. */
  claim(max: number): Message[] {
    this.reveal();
    const messages = this.#order.next(max);
    for (const message of messages) {
      message.claimed = true;
      this.#place(message);
    }
    return messages;
  }

  /** Ends a claim: from now on the messages are where their stored visibility says. */
  settle(messages: readonly Message[]): void {
    for (const message of messages) {
      message.claimed = false;
      if (this.messages.get(message.id) === message) this.#place(message);
    }
  }

  /** Makes messages available whose time has come. Before this, `counts` may be behind the clock. */
  reveal(): void {
    const now = this.#now();
    for (let message = this.#hidden.takeDue(now); message; message = this.#hidden.takeDue(now)) {
      if (this.messages.get(message.id) === message) this.#place(message);
    }
  }

  /** The messages that are older than the retention period. Looks at all of them only when there may be one. */
  expired(): Message[] {
    const sentUntil = this.#now() - this.#settings.retentionMs;
    if (this.#oldestSentAt > sentUntil) return [];
    const messages = [...this.messages.values()];
    this.#oldestSentAt = messages.reduce((oldest, { sentAt }) => Math.min(oldest, sentAt), Infinity);
    return messages.filter(({ sentAt }) => sentAt <= sentUntil);
  }

  /** Remembers the answer for repeated sends, unless its time is over already. */
  remember(key: string, { id, sequence, until }: Deduplicated): void {
    this.dedup.delete(key);
    if (until <= this.#now()) return;
    // As long as the message is there, its strings are used: after a restart they are others than those of the record.
    const message = this.messages.get(id);
    const sharedKey = message?.dedupId === key ? message.dedupId : key;
    this.dedup.set(sharedKey, { id: message?.id ?? id, sequence, until });
  }

  /** Remembers what a receive got, unless its time is over already. */
  rememberAttempt(attempt: string, { messages, until }: ReceiveAttempt): void {
    this.attempts.delete(attempt);
    if (until > this.#now()) this.attempts.set(attempt, { messages, until });
  }

  /** Frees what repeated sends and receives cannot ask for any more. */
  forgetOld(): void {
    const now = this.#now();
    for (const memory of [this.dedup, this.attempts]) {
      for (const [key, { until }] of memory) {
        if (until > now) break;
        memory.delete(key);
      }
    }
  }

  /** Begins a task, or changes the one with this handle. */
  setMoveTask(handle: string, changes: Partial<MoveTask>): void {
    const task = this.moveTasks.find((task) => task.handle === handle);
    if (task) {
      Object.assign(task, changes);
      return;
    }
    this.moveTasks.push({ handle, startedAt: 0, toMove: 0, moved: 0, status: "RUNNING", ...changes });
    if (this.moveTasks.length > KEPT_MOVE_TASKS) this.moveTasks.shift();
  }

  /** Resolves when there may be something to receive, at the latest at `untilMs` or when `gone` is given. */
  changed(untilMs: number, gone: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wakeAt = Math.min(untilMs, this.#hidden.nextAt ?? Infinity);
      const done = () => {
        clearTimeout(timer);
        gone.removeEventListener("abort", done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, Math.max(1, wakeAt - this.#now()));
      gone.addEventListener("abort", done);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #hide(message: Message): void {
    const { visibleAt } = message.visibility;
    if (visibleAt <= this.#now()) return;
    this.#hidden.add(visibleAt, message);
    this.#tidyHidden();
  }

  /** A message that is deleted hours before it would be visible again is not to be kept until then. */
  #tidyHidden(): void {
    this.#hidden.tidy(this.counts.inFlight + this.counts.delayed, (message, at) => {
      return this.messages.get(message.id) === message && message.visibility.visibleAt === at;
    });
  }

  #placeOf({ claimed, visibility }: Message): Place {
    if (claimed) return "inFlight";
    if (visibility.visibleAt <= this.#now()) return "available";
    return visibility.receives > 0 ? "inFlight" : "delayed";
  }

  #place(message: Message): void {
    const from = message.place;
    const to = this.#placeOf(message);
    if (to === from) return;
    message.place = to;
    this.counts[from] -= 1;
    this.counts[to] += 1;
    this.#order.placed(message, from);
    if (to === "available") this.#wake();
  }
}
