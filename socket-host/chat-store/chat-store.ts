import type { Log } from "../../shared/log.ts";
import type { DeviceState } from "../device-state/state.ts";
import { StateFailure } from "../device-state/state-failure.ts";
import { breathe } from "../whatsapp/breathe.ts";
import type { Credentials } from "../whatsapp/credentials.ts";
import { changedMessage } from "./changed-message.ts";
import { identityOfMessage, isMessage, toStored } from "./chat-message.ts";
import type { ChatMessage } from "./chat-message.ts";
import { ChatRecords } from "./chat-records.ts";
import type { Chat, Contact } from "./chat-records.ts";
import { findMessage } from "./find-message.ts";
import { expiredPages } from "./expired-pages.ts";
import type { History, HistoryMessage } from "./history.ts";
import type { MessageText } from "./page.ts";
import type { PageObjects } from "./page-objects.ts";
import type { People } from "./people.ts";
import { isFurther, nameOf, prefixOfId } from "./stored-message.ts";
import type { Identity, StoredMessage, StoredStatus } from "./stored-message.ts";

type Options = { state: DeviceState<Credentials>; pages: PageObjects; people: People; log: Log };

/** Text of messages that a device has in memory; from here on the oldest go into a page. */
const MAX_HELD_BYTES = 256 << 10;
/** Text in one page. */
const PAGE_BYTES = 128 << 10;
/** What a history leaves over after its pages waits in memory with the others, up to this. */
const SMALL_BYTES = 16 << 10;
/** So many messages of a history are taken before others have their turn. */
const SLICE = 100;

/**
 * The messages, chats and contacts of one device. The newest messages are records of the device state and ride on its
 * appends; the others are in pages (`PageObjects`) that the state names. So nothing here causes an append of its own but
 * a new page, and what a crash takes away comes again: from the journal, from the outbox, or from the phone.
 *
 * Everything is idempotent by a message's identity. Changes happen one after the other, as some have to look into pages;
 * reading (`ChatReader`) goes on meanwhile.
 */
export class ChatStore {
  readonly records: ChatRecords;
  readonly #options: Options;
  #n: number;
  #work: Promise<void> = Promise.resolve();
  #isTidied = false;

  constructor(options: Options) {
    this.#options = options;
    this.records = new ChatRecords(options.state);
    const pages = [...this.records.pages.values()].map(({ maxN }) => maxN);
    const held = [...this.records.messages.values()].map((text) => (JSON.parse(text) as StoredMessage).n);
    this.#n = [...pages, ...held].reduce((most, n) => Math.max(most, n), 0);
    // The life before this one may have ended between a full memory and the page that was to relieve it.
    this.#makeRoom();
  }

  /** Messages that came in, changes of others among them. Rejects when a page is needed and the store fails. */
  async take(messages: readonly ChatMessage[]): Promise<void> {
    await this.#inTurn(async () => {
      for (const message of messages) {
        await breathe();
        await this.#apply(message);
      }
    });
    this.#makeRoom();
  }

  /** An own message is about to leave: it is in memory when this returns, and so in the append that it waits for. */
  sending(message: ChatMessage): void {
    if (!isMessage(message.content) || this.#mayBeStored(message.messageId)) {
      void this.take([message]).catch((err: unknown) => this.#options.log.warn({ err }, "own message not kept"));
      return;
    }
    this.#put(message);
    this.#makeRoom();
  }

  /** How far own messages have got, by the server's word or a receipt. */
  async advance(messageIds: readonly string[], status: StoredStatus): Promise<void> {
    await this.#inTurn(async () => {
      for (const id of messageIds) {
        const message = await findMessage(this.#place, id, ({ fromMe }) => fromMe);
        if (message && isFurther(status, message.status)) this.records.putMessage({ ...message, status });
      }
    });
  }

  /** Own messages in memory of which no outcome is known. */
  pending(): string[] {
    const held = [...this.records.messages.values()].map((text) => JSON.parse(text) as StoredMessage);
    return held.filter(({ status }) => status === "pending").map(({ id }) => id);
  }

  /** What came in this chat until then has been read. `at` in milliseconds since 1970. */
  markRead(chat: string, at: number): void {
    const address = this.#options.people.canonical(chat);
    const known = this.records.chat(address);
    if (at > (known.readAt ?? 0)) this.records.putChat(address, { ...known, readAt: at });
  }

  nameChat(address: string, name: string): void {
    const known = this.records.chat(address);
    this.records.putChat(address, { ...known, name } satisfies Chat);
  }

  /** What is not said stays as it is. */
  nameContact(address: string, names: Contact): void {
    const canonical = this.#options.people.canonical(address);
    this.records.putContact(canonical, { ...this.records.contact(canonical), ...names });
  }

  /**
   * Takes in what the phone gave of its history; it is durable when this resolves. What is known already stays as it is.
   * Rejects when the store fails: the same history may then be given again.
   */
  async import({ contacts, chats }: History): Promise<void> {
    for (const { address, ...names } of contacts) {
      await breathe();
      this.nameContact(address, names);
    }
    const batch = new Map<string, string>();
    for (const chat of chats) {
      if (chat.name !== undefined) this.nameChat(chat.address, chat.name);
      const messages = [...chat.messages].sort((a, b) => a.at - b.at);
      for (let at = 0; at < messages.length; at += SLICE) {
        await this.#inTurn(() => this.#collect(messages.slice(at, at + SLICE), batch));
        if (sizeOf(batch) >= PAGE_BYTES) await this.#inTurn(() => this.#page(batch));
      }
      this.markRead(chat.address, readUntil(messages, chat.unreadCount));
    }
    await this.#inTurn(async () => {
      if (sizeOf(batch) > SMALL_BYTES) await this.#page(batch);
      else for (const text of batch.values()) this.records.putMessage(JSON.parse(text) as StoredMessage);
    });
    await this.#options.state.flush();
    this.#makeRoom();
  }

  /** The account that is linked now: what another one had goes, for good. */
  async belongTo(phone: string): Promise<void> {
    if (this.records.account === phone) return;
    await this.#inTurn(async () => {
      const names = this.records.account === undefined ? [] : this.records.clear();
      this.records.account = phone;
      if (!names.length) return;
      await this.#options.state.flush();
      await this.#options.pages.remove(names);
    });
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await this.#work;
  }

  get #place() {
    return { records: this.records, pages: this.#options.pages };
  }

  async #apply(message: ChatMessage): Promise<void> {
    const { content, sender, fromMe } = message;
    if (!fromMe && sender.name !== null) this.nameContact(sender.jid, { notify: sender.name });
    if ("target" in content) return await this.#change(message);
    if (!isMessage(content) || (await this.#find(identityOfMessage(message)))) return;
    this.#put(message);
  }

  async #change({ chat, sender, sentAt, content }: ChatMessage): Promise<void> {
    if (!("target" in content)) return;
    const { messageId: id, fromMe, sender: author } = content.target;
    const { people } = this.#options;
    const wanted = { id, chat: chat.jid, fromMe, sender: "" };
    const message = await findMessage(this.#place, id, (identity) => {
      const isAuthor = identity.sender === "" || author === null || people.isOne(identity.sender, author);
      return isAuthor && people.isSame({ ...identity, sender: "" }, wanted);
    });
    const made = { by: people.canonical(sender.jid), at: sentAt.getTime() };
    const changed = message && changedMessage(message, content, made);
    if (changed) this.records.putMessage(changed);
  }

  #find(identity: Identity): Promise<StoredMessage | undefined> {
    return findMessage(this.#place, identity.id, (other) => this.#options.people.isSame(other, identity));
  }

  #put(message: ChatMessage): void {
    this.#n += 1;
    this.records.putMessage(toStored(message, this.#n));
    // Who answers has read.
    if (message.fromMe) this.markRead(message.chat.jid, message.sentAt.getTime());
  }

  #mayBeStored(id: string): boolean {
    const prefix = prefixOfId(id);
    for (const name of this.records.messages.keys()) if (name.startsWith(prefix)) return true;
    return [...this.records.pages.values()].some(({ ids }) => ids.has(id));
  }

  async #collect(messages: readonly HistoryMessage[], batch: Map<string, string>): Promise<void> {
    for (const { read } of messages) {
      await breathe();
      const message = read();
      if (!message || !isMessage(message.content)) continue;
      const identity = identityOfMessage(message);
      if (batch.has(nameOf(identity)) || (await this.#find(identity))) continue;
      this.#n += 1;
      batch.set(nameOf(identity), JSON.stringify(toStored(message, this.#n)));
    }
  }

  #makeRoom(): void {
    if (this.records.messageBytes <= MAX_HELD_BYTES) return;
    this.#inTurn(() => this.#sealOldest()).catch((err: unknown) => {
      this.#options.log.warn({ err }, "page of the chat store not stored");
    });
  }

  async #sealOldest(): Promise<void> {
    while (this.records.messageBytes > MAX_HELD_BYTES) {
      const oldest = new Map<string, string>();
      let bytes = 0;
      for (const [name, text] of this.records.messages) {
        if (bytes >= PAGE_BYTES) break;
        oldest.set(name, text);
        bytes += name.length + text.length;
      }
      await this.#page(oldest);
    }
  }

  /** These messages become a page; the map is empty afterwards. Pages whose time is over go. */
  async #page(batch: Map<string, string>): Promise<void> {
    const { state, pages, log } = this.#options;
    const messages: MessageText[] = [...batch];
    const page = await pages.write(messages);
    this.records.moveToPage(page, messages);
    batch.clear();
    const expired = expiredPages([...this.records.pages.values()], Date.now()).map(({ name }) => name);
    for (const name of expired) this.records.dropPage(name);
    try {
      await state.flush();
    } catch (err) {
      // The newer owner has read the state without this page, so nobody will ever ask for it.
      if (err instanceof StateFailure && err.reason === "fenced") await pages.remove([page.name]);
      throw err;
    }
    // Only now does no record name them, whoever owns the device.
    if (expired.length) await pages.remove(expired);
    if (this.#isTidied) return;
    this.#isTidied = true;
    const named = new Set(this.records.pages.keys());
    await pages.removeLeftovers(named).catch((err: unknown) => log.warn({ err }, "old pages not removed"));
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work);
    this.#work = done.catch(() => undefined);
    await done;
  }
}

const sizeOf = (batch: ReadonlyMap<string, string>) =>
  [...batch].reduce((bytes, [name, text]) => bytes + name.length + text.length, 0);

/** The phone says how many are unread: everything before the first of them has been read. */
function readUntil(ascending: readonly HistoryMessage[], unreadCount: number): number {
  const incoming = ascending.filter(({ fromMe }) => !fromMe);
  const read = unreadCount > 0 ? incoming.slice(0, -unreadCount) : ascending;
  return read.at(-1)?.at ?? 0;
}
