/** FNV-1a, 32 bits: even enough for names that nobody chooses to collide, and a collision only costs a look too many. */
export function fingerprint(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash ^= text.charCodeAt(at);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** Which names may be in a page, at 4 bytes each: `has` is never wrong about a name that is there. */
export class Fingerprints {
  readonly #sorted: Uint32Array;

  private constructor(sorted: Uint32Array) {
    this.#sorted = sorted;
  }

  static of(names: Iterable<string>): Fingerprints {
    return new Fingerprints(Uint32Array.from(new Set(Array.from(names, fingerprint))).sort());
  }

  static fromText(base64: string): Fingerprints {
    const bytes = Buffer.from(base64, "base64");
    const sorted = Uint32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(index * 4));
    return new Fingerprints(sorted);
  }

  toText(): string {
    const bytes = Buffer.alloc(this.#sorted.length * 4);
    this.#sorted.forEach((hash, index) => bytes.writeUInt32LE(hash, index * 4));
    return bytes.toString("base64");
  }

  has(name: string): boolean {
    const wanted = fingerprint(name);
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return this.#sorted[low] === wanted;
  }
}
