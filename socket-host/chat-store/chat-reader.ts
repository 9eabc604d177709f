import { breathe } from "../whatsapp/breathe.ts";
import type { ChatRecords, Contact } from "./chat-records.ts";
import { findMessage } from "./find-message.ts";
import { messagesIn } from "./page.ts";
import { NewestVersions } from "./newest-versions.ts";
import type { Page } from "./page.ts";
import type { PageObjects } from "./page-objects.ts";
import type { People } from "./people.ts";
import { comparePositions } from "./stored-message.ts";
import type { Position, StoredMessage } from "./stored-message.ts";

type Options = { records: ChatRecords; pages: PageObjects; people: People };

/** Newest first. `hasMore`: there are older ones. */
export type ChatPart = { messages: StoredMessage[]; hasMore: boolean };

/** How many pages are fetched side by side before it is looked whether more are needed. */
const PAGES_AT_ONCE = 4;
/** No page is newer. */
const MEMORY = Number.MAX_SAFE_INTEGER;

/** Reads what the chat store holds. What changes meanwhile is seen or not; what was there at the beginning is. */
export class ChatReader {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * The newest messages of a chat, or the newest before a position. The chat may be named by any address. Positions are a
   * total order that never changes, so that one part after the other has every message once, whatever comes meanwhile.
   */
  async part(chat: string, limit: number, before: Position | undefined): Promise<ChatPart> {
    const { records, people } = this.#options;
    const addresses = people.addresses(chat);
    const found = new NewestVersions(people, {
      identity: (identity) => addresses.includes(identity.chat),
      message: (message) => isBefore(message, before),
    });
    const mayHold = (page: Page) =>
      isBefore({ at: page.from, n: 0 }, before) && addresses.some((address) => page.chats.has(address));
    found.add(records.messages, MEMORY);
    for await (const pages of this.#pages(mayHold)) {
      for (const { body, age } of pages.bodies) found.add(messagesIn(body), age);
      // Complete when all that is asked for, and one more, is newer than whatever the other pages hold.
      const enough = found.newestFirst()[limit];
      if (enough && enough.at > pages.restTo) break;
    }
    const messages = found.newestFirst();
    return { messages: messages.slice(0, limit), hasMore: messages.length > limit };
  }

  /** Where in its chat a message stands; undefined when it is not known. */
  async position(chat: string, messageId: string): Promise<StoredMessage | undefined> {
    const addresses = this.#options.people.addresses(chat);
    return await findMessage(this.#options, messageId, (identity) => addresses.includes(identity.chat));
  }

  /** Every message of a time, the newest first; `to` is the first millisecond after it. */
  async between(from: number, to: number): Promise<StoredMessage[]> {
    const { records, people } = this.#options;
    const found = new NewestVersions(people, {
      identity: () => true,
      message: ({ at }) => at >= from && at < to,
    });
    found.add(records.messages, MEMORY);
    for await (const { bodies } of this.#pages((page) => page.to >= from && page.from < to)) {
      for (const { body, age } of bodies) found.add(messagesIn(body), age);
    }
    return found.newestFirst();
  }

  /** The newest version of a message, in whatever chat; undefined when it is not known. */
  async message(messageId: string): Promise<StoredMessage | undefined> {
    return await findMessage(this.#options, messageId, () => true);
  }

  /** A message as WhatsApp encodes it, without thumbnails; undefined when it is not known or was not kept. */
  async rawMessage(messageId: string): Promise<Buffer | undefined> {
    const message = await this.message(messageId);
    return message?.raw === undefined ? undefined : Buffer.from(message.raw, "base64");
  }

  /** By their addresses, the phone number's where it is known. */
  contacts(): Map<string, Contact> {
    const { records, people } = this.#options;
    const contacts = new Map<string, Contact>();
    for (const [address, names] of records.contacts) {
      const canonical = people.canonical(address);
      contacts.set(canonical, { ...contacts.get(canonical), ...names });
    }
    return contacts;
  }

  /** What people call a chat; null when nobody has told. */
  nameOf(chat: string): string | null {
    const { records, people } = this.#options;
    for (const address of people.addresses(chat)) {
      const { name, verifiedName, notify } = records.contact(address);
      const known = name ?? verifiedName ?? records.chat(address).name ?? notify;
      if (known !== undefined) return known;
    }
    return null;
  }

  /** Until when what came in this chat has been read, in milliseconds since 1970. */
  readAt(chat: string): number {
    const { records, people } = this.#options;
    return Math.max(...people.addresses(chat).map((address) => records.chat(address).readAt ?? 0));
  }

  /** Pages that fit, those with the newest messages first; `restTo` is the time of the newest that is still to come. */
  async *#pages(fits: (page: Page) => boolean) {
    const chosen = [...this.#options.records.pages.values()]
      .map((page, age) => ({ page, age }))
      .filter(({ page }) => fits(page))
      .sort((a, b) => b.page.to - a.page.to);
    // Memory alone may have been enough.
    yield { bodies: [], restTo: chosen[0]?.page.to ?? -1 };
    for (let at = 0; at < chosen.length; at += PAGES_AT_ONCE) {
      const next = chosen.slice(at, at + PAGES_AT_ONCE);
      const read = async ({ page, age }: { page: Page; age: number }) => ({
        body: await this.#options.pages.read(page),
        age,
      });
      yield { bodies: await Promise.all(next.map(read)), restTo: chosen[at + PAGES_AT_ONCE]?.page.to ?? -1 };
      await breathe();
    }
  }
}

const isBefore = (message: Position, before: Position | undefined) =>
  before === undefined || comparePositions(message, before) < 0;
