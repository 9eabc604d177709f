import type { Content } from "./content.ts";

/** Older messages are forgotten; `n` goes on counting. */
const MAX_MESSAGES = 500;

/** A message as the person sees it. `timestamp` is in seconds since 1970. */
export type InboxMessage = Content & {
  n: number;
  id: string;
  /** Number of the other person, or the id of the group. */
  chat: string;
  /** Number of whoever wrote it; the person's own for what their linked devices sent. */
  from: string;
  fromMe: boolean;
  timestamp: number;
  /** How often a message with this id arrived and could be decrypted. */
  copies: number;
};

export type InboxRecord = { count: number; messages: InboxMessage[] };

/** What a person received, the last 500 messages of it. */
export class Inbox {
  readonly #messages = new Map<string, InboxMessage>();
  #count: number;
  readonly #waiting = new Set<() => void>();

  constructor(record: InboxRecord = { count: 0, messages: [] }) {
    for (const message of record.messages) this.#messages.set(keyOf(message), message);
    this.#count = record.count;
  }

  /** A further copy of a known message (same id, same author) only counts. */
  add(message: Omit<InboxMessage, "n" | "copies">): void {
    const known = this.#messages.get(keyOf(message));
    if (known) {
      known.copies++;
      return;
    }
    this.#messages.set(keyOf(message), { n: ++this.#count, ...message, copies: 1 });
    const [oldest] = this.#messages.keys();
    if (this.#messages.size > MAX_MESSAGES && oldest !== undefined) this.#messages.delete(oldest);
    for (const wake of this.#waiting) wake();
  }

  after(n: number): InboxMessage[] {
    return [...this.#messages.values()].filter((message) => message.n > n);
  }

  /** Like `after`, but waits for something to be there, at most `waitMs` and not longer than the asker listens. */
  async waitAfter(n: number, waitMs: number, signal: AbortSignal): Promise<InboxMessage[]> {
    if (this.#count <= n && waitMs > 0 && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, waitMs);
        signal.addEventListener("abort", wake);
        this.#waiting.add(wake);
      });
    }
    return this.after(n);
  }

  toRecord(): InboxRecord {
    return { count: this.#count, messages: [...this.#messages.values()] };
  }

  /** Lets everyone go who waits. */
  dispose(): void {
    for (const wake of this.#waiting) wake();
  }
}

function keyOf({ id, from }: { id: string; from: string }): string {
  return `${from} ${id}`;
}
