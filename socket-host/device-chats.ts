import type { Log } from "../shared/log.ts";
import { ChatReader } from "./chat-store/chat-reader.ts";
import { ChatStore } from "./chat-store/chat-store.ts";
import type { PageCache } from "./chat-store/page-cache.ts";
import { PageObjects } from "./chat-store/page-objects.ts";
import { People } from "./chat-store/people.ts";
import type { LogOwner } from "./device-state/log.ts";
import type { DeviceState } from "./device-state/state.ts";
import { HistoryIntake } from "./history-intake.ts";
import type { SentMessages } from "./outbox.ts";
import { AddressBook } from "./whatsapp/address-book.ts";
import type { ChatEvents } from "./whatsapp/chat-events.ts";
import type { Credentials } from "./whatsapp/credentials.ts";
import { sentMessage } from "./whatsapp/decode/sent-message.ts";

type Options = { place: LogOwner; state: DeviceState<Credentials>; cache: PageCache; log: Log };

/** The chats of a loaded device: its store, what feeds it, and what reads it. */
export class DeviceChats implements SentMessages, ChatEvents {
  readonly store: ChatStore;
  readonly reader: ChatReader;
  readonly intake: HistoryIntake;
  readonly book: AddressBook;
  readonly people: People;
  readonly #state: DeviceState<Credentials>;
  readonly #log: Log;

  constructor({ place, state, cache, log }: Options) {
    const pages = new PageObjects({ ...place, cache, log });
    this.book = new AddressBook(state);
    this.people = new People(this.book);
    this.store = new ChatStore({ state, pages, people: this.people, log });
    this.reader = new ChatReader({ records: this.store.records, pages, people: this.people });
    this.intake = new HistoryIntake({ store: this.store, log });
    this.#state = state;
    this.#log = log;
  }

  sending(message: Parameters<SentMessages["sending"]>[0]): void {
    const sent = sentMessage(message, this.book);
    if (sent) this.store.sending(sent);
  }

  advance(messageIds: readonly string[], status: Parameters<SentMessages["advance"]>[1]): void {
    this.#inBackground("status of messages", this.store.advance(messageIds, status));
  }

  /**
   * A crash may have taken away that a message was acknowledged, as that waits for the next append: what the database
   * does not list as open any more has been.
   */
  async settlePending(unresolved: readonly { messageId: string }[]): Promise<void> {
    const pending = this.store.pending();
    if (!pending.length) return;
    const open = new Set(unresolved.map(({ messageId }) => messageId));
    await this.store.advance(
      pending.filter((id) => !open.has(id)),
      "sent",
    );
  }

  onHistory: ChatEvents["onHistory"] = (chunk) => this.#inBackground("history", this.intake.take(chunk));

  onContacts: ChatEvents["onContacts"] = (contacts) => {
    for (const { address, ...names } of contacts) this.store.nameContact(address, names);
  };

  onChatRead: ChatEvents["onChatRead"] = (chat, at) => {
    this.store.markRead(chat, at);
    // Nobody tells it again: the acknowledgement has to wait for it.
    this.#inBackground("a read chat", this.#state.flush());
  };

  /** Resolves when nothing is under way. */
  async close(): Promise<void> {
    await this.store.idle();
  }

  #inBackground(what: string, work: Promise<void>): void {
    work.catch((err: unknown) => this.#log.warn({ err }, `${what} not kept in the chat store`));
  }
}
