/** Pages of all devices of a host together: enough for some 250 of them. */
const MAX_BYTES = 32 << 20;

/** The bodies of pages that were read last. Pages never change, so nothing in here grows old. */
export class PageCache {
  readonly #maxBytes: number;
  /** In the order of their last use. */
  readonly #bodies = new Map<string, Buffer>();
  readonly #fetching = new Map<string, Promise<Buffer>>();
  #bytes = 0;

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The page's body; `fetch` is called at most once at a time for each. Rejects as `fetch` does. */
  async get(object: string, fetch: () => Promise<Buffer>): Promise<Buffer> {
    const known = this.#bodies.get(object);
    if (known) {
      this.#bodies.delete(object);
      this.#bodies.set(object, known);
      return known;
    }
    const running = this.#fetching.get(object);
    if (running) return await running;
    const fetching = fetch();
    this.#fetching.set(object, fetching);
    try {
      const body = await fetching;
      this.#keep(object, body);
      return body;
    } finally {
      this.#fetching.delete(object);
    }
  }

  #keep(object: string, body: Buffer): void {
    this.#bodies.set(object, body);
    this.#bytes += body.length;
    for (const [oldest, { length }] of this.#bodies) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#bodies.delete(oldest);
      this.#bytes -= length;
    }
  }
}
