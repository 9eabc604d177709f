import type { BinaryNode } from "@whiskeysockets/baileys";
import { Malformed } from "./malformed.ts";

export type { BinaryNode };

/** The server's own address, with the empty user that the wire form carries; Baileys compares it to the letter. */
export const SERVER = "@s.whatsapp.net";

/** Builds a stanza or a part of one; attributes that are `undefined` are left out. */
export function node(
  tag: string,
  attributes: Record<string, string | undefined> = {},
  content?: BinaryNode["content"],
): BinaryNode {
  const attrs: Record<string, string> = {};
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (value !== undefined) attrs[name] = value;
  }
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}

/** All child nodes, or those with one tag. */
export function children(parent: BinaryNode | undefined, tag?: string): BinaryNode[] {
  if (!Array.isArray(parent?.content)) return [];
  return tag === undefined ? parent.content : parent.content.filter((each) => each.tag === tag);
}

/** The first child node with this tag. */
export function child(parent: BinaryNode | undefined, tag: string): BinaryNode | undefined {
  return Array.isArray(parent?.content) ? parent.content.find((each) => each.tag === tag) : undefined;
}

/** An attribute that must be there. Throws `Malformed`. */
export function attribute(stanza: BinaryNode, name: string): string {
  const value = stanza.attrs[name];
  if (value === undefined || value === "") throw new Malformed(`<${stanza.tag}> without ${name}`);
  return value;
}

/** The bytes inside a child node that must be there, optionally of one length. Throws `Malformed`. */
export function childBytes(parent: BinaryNode | undefined, tag: string, length?: number): Buffer {
  const content = child(parent, tag)?.content;
  if (content === undefined || Array.isArray(content)) throw new Malformed(`<${tag}> without bytes`);
  const bytes = Buffer.from(content);
  if (length !== undefined && bytes.length !== length) throw new Malformed(`<${tag}> must be ${length} bytes`);
  return bytes;
}

/** The text inside a node; empty if there is none. */
export function text(parent: BinaryNode | undefined): string {
  const content = parent?.content;
  return content === undefined || Array.isArray(content) ? "" : Buffer.from(content).toString();
}

/** The text inside a child node; empty if there is none. */
export function childText(parent: BinaryNode | undefined, tag: string): string {
  return text(child(parent, tag));
}

/** A big-endian number inside a child node that must be there. Throws `Malformed`. */
export function childNumber(parent: BinaryNode | undefined, tag: string, length: number): number {
  return childBytes(parent, tag, length).readUIntBE(0, length);
}

/** A big-endian number as bytes, the way registration and key ids are written. */
export function bigEndian(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}

/** The time in a `t` attribute: whole seconds since 1970. */
export function nowSeconds(): string {
  return String(Math.floor(Date.now() / 1000));
}
