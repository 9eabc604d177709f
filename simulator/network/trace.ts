import { decodeStanza } from "../wire/decode-stanza.ts";
import type { BinaryNode } from "../wire/node.ts";

const MAX_ENTRIES = 2_000;
const MAX_CHILDREN = 20;
const MAX_DEPTH = 6;
const MAX_TEXT = 200;
const MAX_KEPT_BYTES = 2_048;

/** A stanza as people read it: bytes are given by their length. */
export type ReadableStanza = {
  tag: string;
  attrs: Record<string, string>;
  content?: string | (ReadableStanza | string)[];
};

export type TraceEntry = {
  n: number;
  /** Milliseconds since 1970. */
  at: number;
  direction: "in" | "out";
  phone?: string | undefined;
  device?: number | undefined;
  stanza: ReadableStanza;
};

type Seen = Pick<TraceEntry, "direction" | "phone" | "device"> & { stanza: BinaryNode; bytes: Buffer };

type Recorded = Omit<TraceEntry, "stanza"> & { stanza: Buffer | ReadableStanza };

/** The last stanzas on the wire, seen from the server: `in` came from a client. */
export class Trace {
  #entries: Recorded[] = [];
  #count = 0;

  /** Small stanzas are kept as they are on the wire, and made readable for who asks: as objects they would be dear to keep. */
  add({ direction, phone, device, stanza, bytes }: Seen): void {
    const shown = bytes.length > MAX_KEPT_BYTES ? readable(stanza) : bytes;
    this.#entries.push({ n: ++this.#count, at: Date.now(), direction, phone, device, stanza: shown });
    if (this.#entries.length >= 2 * MAX_ENTRIES) this.#entries = this.#entries.slice(-MAX_ENTRIES);
  }

  /** Oldest first: at most 2,000 entries with `n` above `since`, of one phone if it is given. */
  list({ phone, since = 0 }: { phone?: string | undefined; since?: number | undefined }): TraceEntry[] {
    const wanted = this.#entries
      .slice(-MAX_ENTRIES)
      .filter((entry) => entry.n > since && (phone === undefined || entry.phone === phone));
    return wanted.map(({ stanza, ...rest }) => {
      return { ...rest, stanza: Buffer.isBuffer(stanza) ? readable(decodeStanza(stanza)) : stanza };
    });
  }
}

function readable({ tag, attrs, content }: BinaryNode, depth = 1): ReadableStanza {
  if (content === undefined) return { tag, attrs };
  if (typeof content === "string") return { tag, attrs, content: content.slice(0, MAX_TEXT) };
  if (!Array.isArray(content)) return { tag, attrs, content: `${content.length} bytes` };
  if (depth >= MAX_DEPTH) return { tag, attrs, content: `${content.length} nodes` };
  const shown: (ReadableStanza | string)[] = content.slice(0, MAX_CHILDREN).map((each) => readable(each, depth + 1));
  if (content.length > MAX_CHILDREN) shown.push(`… ${content.length - MAX_CHILDREN} more`);
  return { tag, attrs, content: shown };
}
