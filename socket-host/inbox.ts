import * as events from "../shared/db/events.ts";
import { transaction } from "../shared/db/pool.ts";
import type { Database, Runner } from "../shared/db/pool.ts";
import type { NewEvent } from "../shared/events.ts";
import type { DeviceId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import type { DeviceState, JournalEntry } from "./device-state/state.ts";
import { withMediaLink } from "./media/with-media-link.ts";
import { PeerEffects } from "./peer-effects.ts";
import type { HistoryPiece } from "./peer-effects.ts";
import type { Credentials } from "./whatsapp/credentials.ts";
import { AddressBook } from "./whatsapp/address-book.ts";
import type { IncomingMessage } from "./whatsapp/decode/incoming-message.ts";
import { isMessage, readJournaled, unavailableKey } from "./whatsapp/decode/journaled.ts";
import { messageEvent } from "./whatsapp/decode/message-event.ts";
import { withVote } from "./whatsapp/decode/poll-vote.ts";
import type { Receipt } from "./whatsapp/decode/receipt.ts";

/** `isKept`: what was written may be kept beyond its events. `write` makes rows in MySQL of it. */
export type Persisting = { isKept: boolean; write: (runner: Runner) => Promise<void> };

/**
 * Messages as they come in, in the order of arrival, for whoever keeps them. After a crash the same may be given again, so
 * both must be idempotent, by `IncomingMessage.key`.
 */
export type MessageReaders = {
  /** Answers what is to be written of messages, and of other facts, inside the transaction that commits their events. */
  persist: (messages: readonly IncomingMessage[], facts: readonly NewEvent[]) => Promise<Persisting>;
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
  /** A message of before, as WhatsApp encodes it, where it is kept. */
  findMessage: (messageId: string) => Promise<Uint8Array | undefined>;
  /** Who else keeps messages. */
  readers: MessageReaders;
  /** Too much waits for the database: WhatsApp is to keep the rest. */
  onOverflow: () => void;
};

/** What an earlier life left in the journal and the server has not brought again this long after the login, it has our receipt for. */
const LEFTOVER_MS = 10_000;
const RETRY_MS = 1_000;
/** How long Baileys may take with what it was given again. */
const EFFECT_WAIT_MS = 5_000;

/**
 * With the database away, what comes in piles up here and not at WhatsApp; so too what the server does not acknowledge.
 * From so much on, nothing more is taken in. All kinds count.
 */
const MAX_UNRECORDED = 2_000;
const MAX_UNRECORDED_BYTES = 16 << 20;
const MAX_JOURNALED = 5_000;
/** What one transaction records at most: well below what the database takes in one statement. */
const MAX_BATCH = 200;
const MAX_BATCH_BYTES = 1 << 20;

/**
 * From the journal of what came in to MySQL, live and after a crash alike. A message's entry is forgotten when its event
 * is committed, the server has acknowledged our receipt for it, and what it asks of Baileys is done; every other entry
 * when it is recorded. So whatever happens in between is done again from the journal, and the events' dedupe keys keep
 * it from being told twice.
 */
export class Inbox {
  readonly #options: Options;
  readonly #book: AddressBook;
  readonly #effects: PeerEffects;
  /** What is to be recorded, in the order of arrival. */
  readonly #waiting = new Set<string>();
  readonly #recorded = new Set<string>();
  readonly #acknowledged = new Set<string>();
  #leftovers: string[] = [];
  #work: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();
  #isClosed = false;

  constructor(options: Options) {
    this.#options = options;
    this.#book = new AddressBook(options.state);
    this.#effects = new PeerEffects(options.state);
    options.state.onJournaled = (keys) => {
      this.#take(keys);
      this.#checkBounds();
    };
    this.#take([...options.state.inbox.keys()]);
  }

  /** A socket is about to open: what is in the journal now was acknowledged on an earlier one, or comes again on this. */
  onConnecting(): void {
    this.#leftovers = [...this.#options.state.inbox.keys()];
  }

  /** The server has acknowledged our receipt for this message. */
  onReceiptAck(messageId: string): void {
    for (const [key, entry] of this.#options.state.inbox) {
      if (entry.attrs["id"] === messageId) this.#acknowledge(key);
    }
  }

  /**
   * The server has delivered all that it had kept for us. What of earlier connections it has not brought again by then,
   * it has our receipts for; Baileys gets it once more by `giveAgain` if its effect is missing.
   */
  onCaughtUp(giveAgain: (entry: JournalEntry) => void): void {
    this.#later(LEFTOVER_MS, () => {
      const { inbox } = this.#options.state;
      for (const key of this.#leftovers) {
        const entry = inbox.get(key);
        if (!entry) continue;
        if (this.#effects.isMissing(entry)) giveAgain(entry);
        this.#acknowledge(key);
      }
      this.#leftovers = [];
      this.#later(EFFECT_WAIT_MS, () => this.#forgetAllDone());
    });
  }

  /** A piece of the phone's history is stored. */
  onHistoryStored(piece: HistoryPiece): void {
    this.#effects.historyStored(piece);
    this.#forgetAllDone();
  }

  /** Resolves when every durable journal entry has been offered to the event log. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#work;
  }

  #take(keys: readonly string[]): void {
    for (const key of keys) this.#waiting.add(key);
    if (this.#waiting.size) this.#work = this.#work.then(() => this.#recordAll());
  }

  async #recordAll(): Promise<void> {
    const { log, deviceId } = this.#options;
    try {
      while (this.#waiting.size && !this.#isClosed) {
        const keys = this.#nextBatch();
        // Another host owns the device: its journal has the same entries.
        if ((await this.#record(keys)) === "fenced") return;
        for (const key of keys) this.#onRecorded(key);
      }
    } catch (err) {
      log.error({ err, deviceId }, "events not recorded, trying again");
      this.#checkBounds();
      clearTimeout(this.#retry);
      if (!this.#isClosed) this.#retry = setTimeout(() => this.#take([]), RETRY_MS);
    }
  }

  #nextBatch(): string[] {
    const { inbox } = this.#options.state;
    const batch: string[] = [];
    let bytes = 0;
    for (const key of this.#waiting) {
      bytes += inbox.get(key)?.plain.length ?? 0;
      if (batch.length && (batch.length >= MAX_BATCH || bytes > MAX_BATCH_BYTES)) break;
      batch.push(key);
    }
    return batch;
  }

  /** One transaction, in the order of arrival. */
  async #record(keys: readonly string[]): Promise<"recorded" | "fenced"> {
    const { database, deviceId, epoch, state, recordReceipt, readers } = this.#options;
    const reader = { creds: state.creds, book: this.#book };
    const journaled = keys.flatMap((key) => state.inbox.get(key) ?? []).map((entry) => readJournaled(entry, reader));
    const arrived = journaled.flatMap((one) => one.messages);
    for (const one of journaled) {
      one.messages = await Promise.all(one.messages.map((each) => this.#withVote(each, arrived)));
    }
    const messages = journaled.flatMap((one) => one.messages);
    const eventOf = (message: IncomingMessage) => withMediaLink(messageEvent(message), deviceId);
    const facts = journaled.flatMap((one) => [...one.messages.map(eventOf), ...one.facts]);
    const persisting = facts.length ? await readers.persist(messages, facts) : undefined;
    const isUnkept = persisting?.isKept !== true;
    const told = facts.map((fact) => ({ ...fact, isUnkept }));
    const record = async (runner: Runner) => {
      const recorded = await events.append(runner, deviceId, epoch, told);
      if (recorded !== "fenced") await persisting?.write(runner);
      return recorded;
    };
    const outcome = facts.length ? await transaction(database, record) : undefined;
    if (outcome === "fenced") return outcome;
    if (messages.length) await readers.store(messages);
    for (const { messageId } of messages) this.#forget(unavailableKey(messageId));
    await Promise.all(journaled.flatMap((one) => one.receipts).map(recordReceipt));
    return "recorded";
  }

  /** @param arrived what came in together with it, and so is not in the chat store yet: its poll may be among that */
  async #withVote(message: IncomingMessage, arrived: readonly IncomingMessage[]): Promise<IncomingMessage> {
    if (message.content.messageType !== "poll_vote") return message;
    const { findMessage, log } = this.#options;
    const { messageId } = message.content.target;
    const beside = arrived.find((one) => one.messageId === messageId)?.bytes();
    const find = () =>
      findMessage(messageId).catch((err: unknown) => {
        // What else came in must not wait for this.
        log.warn({ err }, "the poll of a vote is not to be had");
      });
    const poll = beside ?? (await find());
    return poll ? withVote(message, poll, this.#book) : message;
  }

  #onRecorded(key: string): void {
    const entry = this.#options.state.inbox.get(key);
    this.#waiting.delete(key);
    if (!entry) return;
    this.#recorded.add(key);
    // Of anything but a message the server expects no receipt, which it would acknowledge.
    if (!isMessage(entry)) this.#acknowledged.add(key);
    this.#forgetIfDone(key);
  }

  #acknowledge(key: string): void {
    this.#acknowledged.add(key);
    this.#forgetIfDone(key);
  }

  #forgetAllDone(): void {
    for (const key of this.#acknowledged) this.#forgetIfDone(key);
  }

  #forgetIfDone(key: string): void {
    if (!this.#recorded.has(key) || !this.#acknowledged.has(key)) return;
    const entry = this.#options.state.inbox.get(key);
    if (!entry || !this.#effects.isMissing(entry)) this.#forget(key);
  }

  #forget(key: string): void {
    this.#recorded.delete(key);
    this.#acknowledged.delete(key);
    this.#options.state.forget(key);
  }

  #checkBounds(): void {
    const { inbox } = this.#options.state;
    let bytes = 0;
    for (const key of this.#waiting) bytes += inbox.get(key)?.plain.length ?? 0;
    const isTooMuch = this.#waiting.size > MAX_UNRECORDED || bytes > MAX_UNRECORDED_BYTES || inbox.size > MAX_JOURNALED;
    if (isTooMuch) this.#options.onOverflow();
  }

  #later(delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      work();
    }, delayMs);
    this.#timers.add(timer);
  }
}
