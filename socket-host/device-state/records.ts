/**
 * Named values as text: what memory keeps and what the log holds are the same. A body is a sequence of lines, each the
 * name as a JSON string, a tab, and the value as JSON; `null` means that the record is deleted. Bytes inside a value
 * are `{"type":"Buffer","data":"<base64>"}`, the form that Baileys itself stores (lib/Utils/generics.js, BufferJSON).
 */
export type TextRecord = readonly [name: string, text: string | null];

const TAB = 0x09;
const NEWLINE = 0x0a;

export function encodeRecords(records: Iterable<TextRecord>): Buffer {
  let body = "";
  // JSON text escapes control characters, so neither a tab nor a newline can be inside.
  for (const [name, text] of records) body += `${JSON.stringify(name)}\t${text ?? "null"}\n`;
  return Buffer.from(body);
}

/** The lines of a body in their order. Each text is a string of its own, so that it does not keep the body alive. */
export function* decodeRecords(body: Buffer): Generator<TextRecord> {
  for (let at = 0; at < body.length;) {
    const tab = body.indexOf(TAB, at);
    const end = body.indexOf(NEWLINE, tab);
    if (tab < 0 || end < 0) throw new Error("a body of records ends inside a line");
    const name: unknown = JSON.parse(body.toString("utf8", at, tab));
    if (typeof name !== "string") throw new Error("a record has no name");
    const text = body.toString("utf8", tab + 1, end);
    yield [name, text === "null" ? null : text];
    at = end + 1;
  }
}

export function encodeValue(value: unknown): string {
  return JSON.stringify(value, bytesToBase64);
}

/** A fresh value at each call: nobody can change a record by changing what was read. */
export function decodeValue(text: string): unknown {
  // A reviver visits every node; most records (sessions, lists) hold no bytes.
  return text.includes('"Buffer"') ? JSON.parse(text, base64ToBytes) : JSON.parse(text);
}

function bytesToBase64(_name: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return base64Of(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
  // Of a Buffer, JSON.stringify calls toJSON() before it comes here.
  return isNamedBuffer(value) && Array.isArray(value.data) ? base64Of(Buffer.from(value.data)) : value;
}

function base64ToBytes(_name: string, value: unknown): unknown {
  return isNamedBuffer(value) && typeof value.data === "string" ? Buffer.from(value.data, "base64") : value;
}

const base64Of = (bytes: Buffer) => ({ type: "Buffer", data: bytes.toString("base64") });

function isNamedBuffer(value: unknown): value is { type: "Buffer"; data: unknown } {
  return typeof value === "object" && value !== null && "type" in value && value.type === "Buffer" && "data" in value;
}
