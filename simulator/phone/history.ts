import type { proto } from "@whiskeysockets/baileys";
import { readContent } from "./content.ts";
import type { KnownMessage, KnownMessages } from "./known-messages.ts";

/** A text that a person wrote or got before anyone looked. `at` is in seconds since 1970. */
export type PastText = { id: string; author: string; text: string; at: number };
export type HistoryRecord = [chat: string, texts: PastText[]][];

/** More than this is not remembered: the oldest that was told goes first. */
const MAX_TEXTS = 20_000;
/** What changes other messages is no message of its own in a history. */
const LEFT_OUT = new Set(["reaction", "edit", "delete", "vote", "ephemeralSetting"]);

/** What a phone has in its chats: what it was told to have, and what it really sent and received. */
export class History {
  readonly #known: KnownMessages;
  readonly #past: Map<string, Map<string, PastText>>;

  constructor(known: KnownMessages, record: HistoryRecord = []) {
    this.#known = known;
    this.#past = new Map(record.map(([chat, texts]) => [chat, new Map(texts.map((text) => [text.id, text]))]));
  }

  /** Adds texts to a chat; one with a known id replaces the old one. */
  add(chat: string, texts: PastText[]): void {
    const past = this.#past.get(chat) ?? new Map<string, PastText>();
    this.#past.set(chat, past);
    for (const text of texts) past.set(text.id, text);
    let excess = [...this.#past.values()].reduce((sum, each) => sum + each.size, 0) - MAX_TEXTS;
    for (const each of this.#past.values()) {
      for (const id of each.keys()) {
        if (excess-- <= 0) return;
        each.delete(id);
      }
    }
  }

  /** A message by id, wherever it is from. */
  get(id: string): KnownMessage | undefined {
    const known = this.#known.get(id);
    if (known) return known;
    for (const [chat, past] of this.#past) {
      const text = past.get(id);
      if (text) return toMessage(chat, text);
    }
    return undefined;
  }

  /** All chats with something in them; each from the oldest to the newest message. */
  chats(): Map<string, KnownMessage[]> {
    const chats = new Map<string, Map<string, KnownMessage>>();
    for (const [chat, past] of this.#past) {
      chats.set(chat, new Map([...past.values()].map((text) => [text.id, toMessage(chat, text)])));
    }
    for (const known of this.#known.list()) {
      if (!belongs(known.message)) continue;
      const messages = chats.get(known.chat) ?? new Map<string, KnownMessage>();
      chats.set(known.chat, messages.set(known.id, known));
    }
    return new Map([...chats].map(([chat, messages]) => [chat, [...messages.values()].sort((a, b) => a.at - b.at)]));
  }

  /** The `count` messages of a chat that come before this one; if it is not known, those before that time. */
  before(chat: string, { id, at, count }: { id: string; at: number; count: number }): KnownMessage[] {
    const messages = this.chats().get(chat) ?? [];
    const index = messages.findIndex((message) => message.id === id);
    const earlier = index === -1 ? messages.filter((message) => message.at < at) : messages.slice(0, index);
    return earlier.slice(-count);
  }

  toRecord(): HistoryRecord {
    return [...this.#past].map(([chat, past]) => [chat, [...past.values()]]);
  }
}

function toMessage(chat: string, { id, author, text, at }: PastText): KnownMessage {
  return { id, author, chat, at, message: { conversation: text } };
}

function belongs(message: proto.IMessage): boolean {
  const content = readContent(message);
  return content !== undefined && !LEFT_OUT.has(content.type);
}
