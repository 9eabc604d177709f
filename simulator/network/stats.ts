import type { BinaryNode } from "../wire/node.ts";

/** Ids older than the last so many are forgotten: a repetition after that goes unnoticed. */
const MAX_REMEMBERED_IDS = 50_000;
const MAX_LISTED = 200;

type Sighting = { from: string; id: string; times: number; pendingRetries: number };

/** Counters over the life of the process; `POST /reset` starts them again. */
export class Stats {
  connectionsEver = 0;
  logins = 0;
  messagesRouted = 0;
  distinctMessageIds = 0;
  /** Messages that a phone could not decrypt. */
  undecryptable = 0;
  readonly retryReceipts = { fromPhones: 0, fromDevices: 0 };
  droppedFromQueues = 0;
  /** Connections cut because of what the client sent, with the reasons of the last ones. */
  broken = { connections: 0, reasons: [] as string[] };
  readonly stanzas = { in: new Map<string, number>(), out: new Map<string, number>() };
  #repeated: Sighting[] = [];
  readonly #seen = new Map<string, Sighting>();

  countStanza(direction: "in" | "out", stanza: BinaryNode): void {
    const counts = this.stanzas[direction];
    const tag = counts.has(stanza.tag) || counts.size < MAX_LISTED ? stanza.tag : "other";
    counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }

  /** Counts a message by its sender. One that answers a retry receipt is no repetition. */
  countMessage(from: string, id: string): void {
    this.messagesRouted++;
    const key = `${from} ${id}`;
    const seen = this.#seen.get(key);
    if (!seen) {
      this.distinctMessageIds++;
      this.#seen.set(key, { from, id, times: 1, pendingRetries: 0 });
      this.#forgetOldest();
    } else if (seen.pendingRetries > 0) seen.pendingRetries--;
    else if (++seen.times === 2) this.#repeated = [...this.#repeated, seen].slice(-MAX_LISTED);
  }

  countRetry(by: "fromPhones" | "fromDevices", sender: string, id: string): void {
    this.retryReceipts[by]++;
    const seen = this.#seen.get(`${sender} ${id}`);
    if (seen) seen.pendingRetries++;
  }

  countBroken(reason: unknown): void {
    const text = reason instanceof Error ? reason.message : "unknown";
    this.broken = { connections: this.broken.connections + 1, reasons: [...this.broken.reasons, text].slice(-10) };
  }

  /** Ids that one sender sent more than once, the latest of them, oldest first. */
  get repeatedMessageIds(): { from: string; id: string; times: number }[] {
    return this.#repeated.map(({ from, id, times }) => ({ from, id, times }));
  }

  #forgetOldest(): void {
    if (this.#seen.size <= MAX_REMEMBERED_IDS) return;
    const [oldest] = this.#seen.keys();
    if (oldest !== undefined) this.#seen.delete(oldest);
  }
}
