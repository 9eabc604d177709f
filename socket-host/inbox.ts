import * as events from "../shared/db/events.ts";
import { transaction } from "../shared/db/pool.ts";
import type { Database, Runner } from "../shared/db/pool.ts";
import type { DeviceId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import type { DeviceState } from "./device-state/state.ts";
import type { Credentials } from "./whatsapp/credentials.ts";
import { AddressBook } from "./whatsapp/address-book.ts";
import type { IncomingMessage } from "./whatsapp/decode/incoming-message.ts";
import { isMessage, readJournaled } from "./whatsapp/decode/journaled.ts";
import type { Receipt } from "./whatsapp/decode/receipt.ts";

/**
 * Messages as they come in, in the order of arrival, for whoever keeps them. After a crash the same may be given again, so
 * both must be idempotent, by `IncomingMessage.key`.
 */
export type MessageReaders = {
  /** Inside the transaction that commits the messages' events: rows in MySQL. */
  persist: (runner: Runner, messages: readonly IncomingMessage[]) => Promise<void>;
  /** After it: what is written to the device state before this resolves is durable before the journal forgets them. */
  store: (messages: readonly IncomingMessage[]) => Promise<void>;
};

type Options = {
  database: Database;
  deviceId: DeviceId;
  epoch: number;
  state: DeviceState<Credentials>;
  log: Log;
  /** See `Outbox.recordReceipt`. */
  recordReceipt: (receipt: Receipt) => Promise<void>;
  /** Who else keeps messages. */
  readers: MessageReaders;
  /** Too much waits for the database: WhatsApp is to keep the rest. */
  onOverflow: () => void;
};

/** What an earlier life left in the journal and the server has not brought again this long after the login, it has our receipt for. */
const LEFTOVER_MS = 10_000;
const RETRY_MS = 1_000;
/** With the database away, messages pile up here and not at WhatsApp; from so many on, nothing more is taken in. */
const MAX_UNRECORDED = 2_000;

/**
 * From the journal of what came in to MySQL, live and after a crash alike. A message's entry is forgotten when its event
 * is committed and the server has acknowledged our receipt for it, a receipt's entry when it is recorded. So whatever
 * happens in between is done again from the journal, and the events' dedupe keys keep it from being told twice.
 */
export class Inbox {
  readonly #options: Options;
  readonly #book: AddressBook;
  readonly #waiting = new Set<string>();
  readonly #recorded = new Set<string>();
  readonly #acknowledged = new Set<string>();
  #leftovers: string[];
  #work: Promise<void> = Promise.resolve();
  #timers = new Set<NodeJS.Timeout>();
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#book = new AddressBook(options.state);
    this.#leftovers = [...options.state.inbox.keys()];
    options.state.onJournaled = (keys) => this.#take(keys);
    this.#take(this.#leftovers);
  }

  /** The server has acknowledged our receipt for this message. */
  onReceiptAck(messageId: string): void {
    for (const [key, entry] of this.#options.state.inbox) {
      if (entry.attrs["id"] === messageId) this.#acknowledge(key);
    }
  }

  /** The server has delivered all that it had kept for us. */
  onCaughtUp(): void {
    this.#later(LEFTOVER_MS, () => {
      for (const key of this.#leftovers) this.#acknowledge(key);
      this.#leftovers = [];
    });
  }

  /** Resolves when every durable journal entry has been offered to the event log. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#work;
  }

  #take(keys: readonly string[]): void {
    for (const key of keys) this.#waiting.add(key);
    if (this.#waiting.size) this.#work = this.#work.then(() => this.#record());
  }

  /** One transaction for all that waits, in the order of arrival. */
  async #record(): Promise<void> {
    const { database, deviceId, epoch, state, log, recordReceipt, readers, onOverflow } = this.#options;
    const keys = [...this.#waiting];
    if (!keys.length || this.#isClosed) return;
    this.#waiting.clear();
    const reader = { creds: state.creds, book: this.#book };
    const journaled = keys.flatMap((key) => state.inbox.get(key) ?? []).map((entry) => readJournaled(entry, reader));
    const messages = journaled.flatMap((one) => one.messages);
    const facts = journaled.flatMap((one) => one.events);
    try {
      const outcome = await transaction(database, async (runner) => {
        const recorded = await events.append(runner, deviceId, epoch, facts);
        if (recorded !== "fenced" && messages.length) await readers.persist(runner, messages);
        return recorded;
      });
      // Another host owns the device: its journal has the same entries.
      if (outcome === "fenced") return;
      if (messages.length) await readers.store(messages);
      for (const receipt of journaled.flatMap((one) => one.receipts)) await recordReceipt(receipt);
    } catch (err) {
      log.error({ err, deviceId }, "events not recorded, trying again");
      for (const key of keys) this.#waiting.add(key);
      if (this.#waiting.size > MAX_UNRECORDED) onOverflow();
      this.#later(RETRY_MS, () => this.#take([]));
      return;
    }
    for (const key of keys) {
      this.#recorded.add(key);
      const entry = state.inbox.get(key);
      // Of anything but a message the server expects no receipt, which it would acknowledge.
      if (entry && !isMessage(entry)) this.#acknowledged.add(key);
      this.#forgetIfDone(key);
    }
  }

  #acknowledge(key: string): void {
    this.#acknowledged.add(key);
    this.#forgetIfDone(key);
  }

  #forgetIfDone(key: string): void {
    if (!this.#recorded.has(key) || !this.#acknowledged.has(key)) return;
    this.#recorded.delete(key);
    this.#acknowledged.delete(key);
    this.#options.state.forget(key);
  }

  #later(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }
}
