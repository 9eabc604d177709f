import type { PayloadLocation } from "../store/data-file.ts";
import { DueHeap } from "./due-heap.ts";
import { fifoOrder } from "./fifo-order.ts";
import type { DeliveryOrder, Message, Place } from "./message.ts";
import { settingsOf } from "./queue-attributes.ts";
import type { QueueAttributes, QueueSettings } from "./queue-attributes.ts";
import type { StoredMessage, Visibility } from "./records.ts";
import { standardOrder } from "./standard-order.ts";

/** The answer that a repeated send gets. `until` in Unix milliseconds. */
type Deduplicated = { id: string; sequence: number; until: number };

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
    const message: Message = { ...stored, payload, claimed: false, place: "available" };
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
    this.#wake();
    return message;
  }

  setVisibility(id: string, visibility: Visibility): void {
    const message = this.messages.get(id);
    if (!message) return;
    const { visibleAt, receives, firstReceivedAt, receipt } = visibility;
    Object.assign(message, { visibleAt, receives, firstReceivedAt, receipt });
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
  remember(key: string, answer: Deduplicated): void {
    this.dedup.delete(key);
    if (answer.until > this.#now()) this.dedup.set(key, answer);
  }

  forgetOldSends(): void {
    const now = this.#now();
    for (const [key, { until }] of this.dedup) {
      if (until > now) break;
      this.dedup.delete(key);
    }
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
    if (message.visibleAt > this.#now()) this.#hidden.add(message.visibleAt, message);
  }

  #placeOf({ claimed, visibleAt, receives }: Message): Place {
    if (claimed) return "inFlight";
    if (visibleAt <= this.#now()) return "available";
    return receives > 0 ? "inFlight" : "delayed";
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
