const ID_BYTES = 3;
const KEY_BYTES = 32;
const ENTRY_BYTES = ID_BYTES + KEY_BYTES;
/** Baileys brings 812 at a time (`INITIAL_PREKEY_COUNT` in Defaults/index.js); of more than this the oldest are forgotten. */
const MAX_KEYS = 10_000;

export type PreKey = { id: number; publicKey: Uint8Array };

/**
 * The one-time keys that a device has published, the oldest first. They are one piece of memory, not 812 objects for each
 * device: with hundreds of devices the garbage collector would have nothing else to do.
 */
export class PreKeys {
  #entries: Buffer = Buffer.alloc(0);

  get size(): number {
    return this.#entries.length / ENTRY_BYTES;
  }

  /** A key with an id that is there already replaces it. */
  add(keys: PreKey[]): void {
    const ids = new Set(keys.map(({ id }) => id));
    const kept = this.#list().filter(({ id }) => !ids.has(id));
    const all = [...kept, ...keys].slice(-MAX_KEYS);
    const entries = Buffer.alloc(all.length * ENTRY_BYTES);
    all.forEach(({ id, publicKey }, index) => {
      entries.writeUIntBE(id, index * ENTRY_BYTES, ID_BYTES);
      entries.set(publicKey, index * ENTRY_BYTES + ID_BYTES);
    });
    this.#entries = entries;
  }

  /** The oldest key, which is gone then; `undefined` if there is none left. */
  take(): PreKey | undefined {
    const [first] = this.#list(1);
    this.#entries = this.#entries.subarray(ENTRY_BYTES);
    return first;
  }

  toRecord(): [id: number, publicKey: Uint8Array][] {
    return this.#list().map(({ id, publicKey }) => [id, publicKey]);
  }

  #list(count = this.size): PreKey[] {
    return Array.from({ length: Math.min(count, this.size) }, (_, index) => {
      const start = index * ENTRY_BYTES;
      const publicKey = Buffer.from(this.#entries.subarray(start + ID_BYTES, start + ENTRY_BYTES));
      return { id: this.#entries.readUIntBE(start, ID_BYTES), publicKey };
    });
  }
}
