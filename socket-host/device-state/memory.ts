import { OutboxRecords } from "./outbox-records.ts";
import type { OutboxEntry } from "./outbox-records.ts";
import { decodeValue, encodeRecords, encodeValue } from "./records.ts";
import type { TextRecord } from "./records.ts";

/**
 * What a decrypt gave, kept until the event of it is stored and the server has acknowledged our receipt: the same
 * ciphertext cannot be decrypted twice. `kind` is the type of its `enc` node, `plain` the padded plaintext,
 * `attrs` the attributes of the stanza, `at` in milliseconds since 1970.
 */
export type JournalEntry = { attrs: Record<string, string>; kind: string; plain: Buffer; at: number };

/** Names of records in the log. */
export const CREDS = "creds";
export const keyName = (type: string, id: string) => `key:${type}|${id}`;
export const inboxName = (key: string) => `in:${key}`;
export const outboxName = (id: string) => `out:${id}`;
export const chatName = (id: string) => `chat:${id}`;

/** `id` is the whole name where there is no kind. */
export function parseName(name: string): { kind: string; id: string } {
  const colon = name.indexOf(":");
  return { kind: name.slice(0, Math.max(0, colon)), id: name.slice(colon + 1) };
}

const KINDS = new Set(["key", "in", "out", "chat"]);
const isOther = (name: string) => name !== CREDS && !KINDS.has(parseName(name).kind);

/** About a mebibyte of text: making one part of a snapshot takes a few milliseconds. */
const PART_LENGTH = 1 << 20;

/**
 * The records of one device in memory. Signal keys are kept as the text that the log holds: compact, ready to be
 * appended, and each reader gets a copy of its own, as Baileys changes what it has read (a failed group message would
 * otherwise be remembered as distributed).
 */
export class DeviceMemory<Creds extends object> {
  readonly keys = new Map<string, string>();
  readonly inbox = new Map<string, JournalEntry>();
  readonly outbox = new OutboxRecords();
  /** Texts of the chat store, by names of its own. They stay when the link goes. */
  readonly chats = new Map<string, string>();
  /** Of kinds that a later version writes: kept as they are for it, while both versions run and after a step back. */
  readonly #others = new Map<string, string>();
  readonly #newCreds: () => Creds;
  #creds: Creds | undefined;

  /** `newCreds` is asked when there are none: to make key pairs takes longer than to restore a device. */
  constructor(newCreds: () => Creds) {
    this.#newCreds = newCreds;
  }

  get creds(): Creds {
    return (this.#creds ??= this.#newCreds());
  }

  /** One record as it was logged. Credentials are replaced, not merged: a field that was removed must not come back. */
  restore([name, text]: TextRecord): void {
    const { kind, id } = parseName(name);
    if (isOther(name)) {
      if (text === null) this.#others.delete(name);
      else this.#others.set(name, text);
      return;
    }
    if (text === null) {
      if (kind === "key") this.keys.delete(name);
      if (kind === "in") this.inbox.delete(id);
      if (kind === "out") this.outbox.delete(id);
      if (kind === "chat") this.chats.delete(id);
      return;
    }
    if (kind === "key") this.keys.set(name, text);
    if (kind === "in") this.inbox.set(id, decodeValue(text) as JournalEntry);
    if (kind === "out") this.outbox.put(id, decodeValue(text) as OutboxEntry);
    if (kind === "chat") this.chats.set(id, text);
    if (name === CREDS) this.#creds = decodeValue(text) as Creds;
  }

  /** The record as it is now; null when it does not exist. */
  text(name: string): string | null {
    const { kind, id } = parseName(name);
    if (isOther(name)) return this.#others.get(name) ?? null;
    if (kind === "key") return this.keys.get(name) ?? null;
    if (kind === "chat") return this.chats.get(id) ?? null;
    const value = kind === "in" ? this.inbox.get(id) : kind === "out" ? this.outbox.get(id) : this.creds;
    return value === undefined ? null : encodeValue(value);
  }

  *names(): Generator<string> {
    yield* this.linkNames();
    for (const id of this.chats.keys()) yield chatName(id);
  }

  /** Of the records that belong to the link with the phone. */
  *linkNames(): Generator<string> {
    yield CREDS;
    yield* this.keys.keys();
    for (const key of this.inbox.keys()) yield inboxName(key);
    for (const id of this.outbox.keys()) yield outboxName(id);
    yield* this.#others.keys();
  }

  clearLink(creds: Creds): void {
    this.#creds = creds;
    this.keys.clear();
    this.inbox.clear();
    this.outbox.clear();
    this.#others.clear();
  }

  /** All records in parts, each as they are when its part is asked for. */
  *parts(): Generator<Buffer> {
    let records: TextRecord[] = [];
    let length = 0;
    for (const name of this.names()) {
      const text = this.text(name);
      records.push([name, text]);
      length += name.length + (text?.length ?? 0);
      if (length < PART_LENGTH) continue;
      yield encodeRecords(records);
      records = [];
      length = 0;
    }
    yield encodeRecords(records);
  }
}
