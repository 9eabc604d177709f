/**
 * A message as it was first encoded, for every later attempt and for recipients that ask again. `attributes` are those
 * that its stanza had besides. `at` in milliseconds since 1970.
 */
export type OutboxEntry = { to: string; bytes: Buffer; at: number; attributes?: Record<string, string> };

const DAY_MS = 86_400_000;
const KEEP_MS = 14 * DAY_MS;
const KEEP_COUNT = 5_000;
/** Texts never get there; pictures, with their thumbnails of some 30 KB, after about 250 messages. */
const KEEP_BYTES = 8 << 20;

/** The newest messages by id: at most 14 days, 5,000 messages and 8 MiB of them, whichever is less. */
export class OutboxRecords {
  // A map keeps the order in which ids were added, so the oldest come first.
  readonly #entries = new Map<string, OutboxEntry>();
  #bytes = 0;

  get(id: string): OutboxEntry | undefined {
    return this.#entries.get(id);
  }

  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  put(id: string, entry: OutboxEntry): void {
    this.#bytes += entry.bytes.length - (this.#entries.get(id)?.bytes.length ?? 0);
    this.#entries.set(id, { ...entry, bytes: alone(entry.bytes) });
  }

  delete(id: string): boolean {
    this.#bytes -= this.#entries.get(id)?.bytes.length ?? 0;
    return this.#entries.delete(id);
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** Removes what is beyond the limits and answers the ids. */
  dropOld(now: number): string[] {
    const dropped: string[] = [];
    for (const [id, { at }] of this.#entries) {
      const isTooMuch = this.#entries.size > KEEP_COUNT || this.#bytes > KEEP_BYTES;
      if (!isTooMuch && now - at <= KEEP_MS) break;
      this.delete(id);
      dropped.push(id);
    }
    return dropped;
  }
}

/**
 * Node cuts small buffers from blocks of 8 KiB (Buffer.poolSize), and one that is kept keeps its whole block: sixty times as
 * much as a short text.
 */
function alone(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
