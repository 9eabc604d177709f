import { jidDecode } from "@whiskeysockets/baileys";
import { TAGS, TOKEN_MAP } from "@whiskeysockets/baileys/lib/WABinary/constants.js";
import type { BinaryNode } from "./node.ts";

const START_BYTES = 64 * 1024;
/** Nothing that is written at once is longer than this, bytes and texts apart. */
const MAX_STEP_BYTES = 8;
const UNCOMPRESSED = 0;
const NIBBLES = "0123456789-.";
const HEX_DIGITS = "0123456789ABCDEF";
/** What fills the second half of the last byte if a text has an odd length. */
const FILLER = 15;

/** How each word of the dictionaries is written. */
const TOKENS = new Map<string, Uint8Array>();
for (const [word, { dict, index }] of Object.entries(TOKEN_MAP)) {
  if (word) TOKENS.set(word, Uint8Array.from(dict === undefined ? [index] : [TAGS.DICTIONARY_0 + dict, index]));
}
const NIBBLE_VALUES = valuesOf(NIBBLES);
const HEX_VALUES = valuesOf(HEX_DIGITS);

/**
 * A stanza as it goes over the wire, uncompressed: to the byte what Baileys makes of it (WABinary/encode.js), which collects
 * single numbers in an array and takes three times as long.
 */
export function encodeStanza(stanza: BinaryNode): Buffer {
  return writer.encode(stanza);
}

/** Writes into one piece of memory that is used again for the next stanza. */
class StanzaWriter {
  #bytes = Buffer.allocUnsafe(START_BYTES);
  #at = 0;

  encode(stanza: BinaryNode): Buffer {
    this.#at = 0;
    this.#byte(UNCOMPRESSED);
    this.#node(stanza);
    const encoded = Buffer.from(this.#bytes.subarray(0, this.#at));
    if (this.#bytes.length > START_BYTES) this.#bytes = Buffer.allocUnsafe(START_BYTES);
    return encoded;
  }

  #node({ tag, attrs, content }: BinaryNode): void {
    const names = Object.keys(attrs);
    this.#list(1 + 2 * names.length + (content === undefined ? 0 : 1));
    this.#text(tag);
    for (const name of names) {
      this.#text(name);
      this.#text(attrs[name] ?? "");
    }
    if (typeof content === "string") this.#text(content);
    else if (Array.isArray(content)) {
      this.#list(content.length);
      for (const each of content) this.#node(each);
    } else if (content) this.#binary(content);
  }

  #list(size: number): void {
    if (size === 0) this.#byte(TAGS.LIST_EMPTY);
    else if (size < 256) this.#number(TAGS.LIST_8, size, 1);
    else this.#number(TAGS.LIST_16, size, 2);
  }

  #text(text: string): void {
    const token = TOKENS.get(text);
    if (token) this.#raw(token);
    else if (!this.#packed(text, TAGS.NIBBLE_8, NIBBLE_VALUES) && !this.#packed(text, TAGS.HEX_8, HEX_VALUES)) {
      const jid = jidDecode(text);
      if (!jid) this.#binary(Buffer.from(text));
      else if (jid.device === undefined) {
        this.#byte(TAGS.JID_PAIR);
        if (jid.user === "") this.#byte(TAGS.LIST_EMPTY);
        else this.#text(jid.user);
        this.#text(jid.server);
      } else {
        this.#byte(TAGS.AD_JID);
        this.#byte(jid.domainType ?? 0);
        this.#byte(jid.device);
        this.#text(jid.user);
      }
    }
  }

  /** Two characters in a byte; answers false, with nothing written, if there is another character among them. */
  #packed(text: string, tag: number, values: Int8Array): boolean {
    const { length } = text;
    if (length === 0 || length > TAGS.PACKED_MAX) return false;
    this.#reserve(length);
    const start = this.#at + 2;
    for (let index = 0; index < length; index++) {
      const value = values[text.charCodeAt(index)] ?? -1;
      if (value === -1) return false;
      const place = start + (index >> 1);
      this.#bytes[place] = index % 2 === 0 ? (value << 4) | FILLER : ((this.#bytes[place] ?? 0) & 0xf0) | value;
    }
    const packedLength = (length + 1) >> 1;
    this.#bytes[this.#at] = tag;
    this.#bytes[this.#at + 1] = packedLength | (length % 2 === 0 ? 0 : 0x80);
    this.#at = start + packedLength;
    return true;
  }

  #binary(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length < 256) this.#number(TAGS.BINARY_8, length, 1);
    else if (length < 1 << 20) this.#number(TAGS.BINARY_20, length, 3);
    else this.#number(TAGS.BINARY_32, length, 4);
    this.#raw(bytes);
  }

  #number(tag: number, value: number, byteLength: number): void {
    this.#byte(tag);
    this.#at = this.#bytes.writeUIntBE(value, this.#at, byteLength);
  }

  #byte(value: number): void {
    this.#reserve(0);
    this.#bytes[this.#at++] = value;
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #reserve(length: number): void {
    const needed = this.#at + length + MAX_STEP_BYTES;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * needed);
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

function valuesOf(characters: string): Int8Array {
  const values = new Int8Array(128).fill(-1);
  Array.from(characters).forEach((character, value) => (values[character.charCodeAt(0)] = value));
  return values;
}

const writer = new StanzaWriter();
