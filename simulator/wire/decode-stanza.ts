import { inflateSync } from "node:zlib";
import { jidEncode, WAJIDDomains } from "@whiskeysockets/baileys";
import { DOUBLE_BYTE_TOKENS, SINGLE_BYTE_TOKENS, TAGS } from "@whiskeysockets/baileys/lib/WABinary/constants.js";
import { Malformed } from "./malformed.ts";
import type { BinaryNode } from "./node.ts";
import { PN_SERVER } from "./jid.ts";

const COMPRESSED = 2;
const MAX_INFLATED_BYTES = 32 * 1024 * 1024;
/** Honest stanzas are five deep or so. */
const MAX_DEPTH = 50;

const SERVERS = new Map<number, string>([
  [WAJIDDomains.WHATSAPP, PN_SERVER],
  [WAJIDDomains.LID, "lid"],
  [WAJIDDomains.HOSTED, "hosted"],
  [WAJIDDomains.HOSTED_LID, "hosted.lid"],
]);

/**
 * Reads a stanza from the wire, as Baileys does (WABinary/decode.js), but at once, and with bounds. What is bytes in the result
 * are views of `bytes`. Throws `Malformed` for everything that no honest client writes.
 */
export function decodeStanza(bytes: Buffer): BinaryNode {
  const reader = new StanzaReader(uncompressed(bytes));
  return reader.node(1);
}

function uncompressed(bytes: Buffer): Buffer {
  const [flags = 0] = bytes;
  if ((flags & COMPRESSED) === 0) return bytes.subarray(1);
  try {
    return inflateSync(bytes.subarray(1), { maxOutputLength: MAX_INFLATED_BYTES });
  } catch {
    throw new Malformed("a stanza that cannot be inflated");
  }
}

class StanzaReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  node(depth: number): BinaryNode {
    if (depth > MAX_DEPTH) throw new Malformed("a stanza that is too deep");
    const size = this.#listSize(this.#byte());
    const tag = this.#text(this.#byte());
    if (size === 0 || tag === "") throw new Malformed("a stanza without a tag");
    const attrs: Record<string, string> = {};
    for (let rest = (size - 1) >> 1; rest > 0; rest--) {
      const name = this.#text(this.#byte());
      attrs[name] = this.#text(this.#byte());
    }
    return size % 2 === 0 ? { tag, attrs, content: this.#content(depth) } : { tag, attrs };
  }

  #content(depth: number): NonNullable<BinaryNode["content"]> {
    const kind = this.#byte();
    if (kind === TAGS.LIST_EMPTY || kind === TAGS.LIST_8 || kind === TAGS.LIST_16) {
      const nodes: BinaryNode[] = [];
      for (let rest = this.#listSize(kind); rest > 0; rest--) nodes.push(this.node(depth + 1));
      return nodes;
    }
    return this.#binary(kind) ?? this.#text(kind);
  }

  #listSize(kind: number): number {
    if (kind === TAGS.LIST_EMPTY) return 0;
    if (kind === TAGS.LIST_8) return this.#byte();
    if (kind === TAGS.LIST_16) return this.#number(2);
    throw new Malformed("a stanza that is no list");
  }

  #text(kind: number): string {
    const token = SINGLE_BYTE_TOKENS[kind];
    if (typeof token === "string") return token;
    if (kind >= TAGS.DICTIONARY_0 && kind <= TAGS.DICTIONARY_3) return this.#word(kind - TAGS.DICTIONARY_0);
    if (kind === TAGS.HEX_8 || kind === TAGS.NIBBLE_8) return this.#packed(kind);
    if (kind === TAGS.JID_PAIR) return this.#jidPair();
    if (kind === TAGS.AD_JID) return this.#deviceJid();
    const binary = this.#binary(kind);
    if (!binary) throw new Malformed("a text of an unknown kind");
    return binary.toString();
  }

  #word(dictionary: number): string {
    const word = DOUBLE_BYTE_TOKENS[dictionary]?.[this.#byte()];
    if (word === undefined) throw new Malformed("a word that is in no dictionary");
    return word;
  }

  /** Two characters in a byte: digits and `A` to `F`, or digits with `-` and `.`; the last one may be none. */
  #packed(kind: number): string {
    const length = this.#byte();
    const digits = this.#take(length & 0x7f).toString("hex");
    const used = length > 0x7f ? digits.slice(0, -1) : digits;
    if (kind === TAGS.HEX_8) return used.toUpperCase();
    return /[a-f]/.test(used) ? used.replaceAll(/[a-f]/g, nibble) : used;
  }

  #jidPair(): string {
    const user = this.#text(this.#byte());
    const server = this.#text(this.#byte());
    if (server === "") throw new Malformed("an address without a server");
    return `${user}@${server}`;
  }

  #deviceJid(): string {
    const server = SERVERS.get(this.#byte()) ?? PN_SERVER;
    const device = this.#byte();
    return jidEncode(this.#text(this.#byte()), server as Parameters<typeof jidEncode>[1], device);
  }

  #binary(kind: number): Buffer | undefined {
    if (kind === TAGS.BINARY_8) return this.#take(this.#byte());
    if (kind === TAGS.BINARY_20) return this.#take(this.#number(3) & 0xfffff);
    return kind === TAGS.BINARY_32 ? this.#take(this.#number(4)) : undefined;
  }

  #number(byteLength: number): number {
    return this.#take(byteLength).readUIntBE(0, byteLength);
  }

  #byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw new Malformed("a stanza that ends too early");
    return value;
  }

  #take(length: number): Buffer {
    const start = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new Malformed("a stanza that ends too early");
    return this.#bytes.subarray(start, this.#at);
  }
}

function nibble(digit: string): string {
  if (digit === "a") return "-";
  if (digit === "b") return ".";
  if (digit === "f") return "\0";
  throw new Malformed("a character that cannot be packed");
}
