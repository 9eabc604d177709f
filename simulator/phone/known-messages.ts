import { proto } from "@whiskeysockets/baileys";

const MAX_MESSAGES = 2_000;
const MAX_BYTES = 64 * 1024;

/** A message that may be needed again: to quote it, or to send it once more to a device that could not read it. */
export type KnownMessage = {
  id: string;
  /** Number of the author. */
  author: string;
  /** Number of the other person in the chat, or the id of the group. */
  chat: string;
  /** Seconds since 1970. */
  at: number;
  message: proto.IMessage;
};

type Entry = { author: string; chat: string; at: number; bytes: Uint8Array };
export type KnownMessagesRecord = (Entry & { id: string })[];

/** The last 2,000 messages that a phone sent or received, whole; those above 64 KiB are not kept. */
export class KnownMessages {
  readonly #byId = new Map<string, Entry>();

  constructor(record: KnownMessagesRecord = []) {
    for (const { id, ...rest } of record) this.#byId.set(id, rest);
  }

  add({ id, author, chat, at, message }: KnownMessage): void {
    const bytes = proto.Message.encode(message).finish();
    if (bytes.length > MAX_BYTES) return;
    this.#byId.delete(id);
    this.#byId.set(id, { author, chat, at, bytes });
    const [oldest] = this.#byId.keys();
    if (this.#byId.size > MAX_MESSAGES && oldest !== undefined) this.#byId.delete(oldest);
  }

  get(id: string): KnownMessage | undefined {
    const known = this.#byId.get(id);
    return known && toMessage(id, known);
  }

  /** All of them, the one that came last at the end. */
  list(): KnownMessage[] {
    return [...this.#byId].map(([id, known]) => toMessage(id, known));
  }

  toRecord(): KnownMessagesRecord {
    return [...this.#byId].map(([id, rest]) => ({ id, ...rest }));
  }
}

function toMessage(id: string, { author, chat, at, bytes }: Entry): KnownMessage {
  return { id, author, chat, at, message: proto.Message.decode(bytes) };
}
