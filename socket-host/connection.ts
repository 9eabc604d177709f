import type { WhatsAppConfig } from "../shared/config.ts";
import type { Log } from "../shared/log.ts";
import { answerAck } from "./answer-ack.ts";
import type { StoredMessage } from "./chat-store/stored-message.ts";
import type { DeviceLife } from "./device-life.ts";
import { Timers } from "./timers.ts";
import { openSocket } from "./whatsapp/socket.ts";
import type { Account, Socket } from "./whatsapp/socket.ts";

type Options = {
  life: DeviceLife;
  config: WhatsAppConfig;
  log: Log;
  onQr: (code: string, expiresAt: Date) => Promise<void>;
  onPaired: () => Promise<void>;
  /** Linking this account takes a passkey, which only WhatsApp's own programs can ask for. */
  onPasskey: () => Promise<void>;
  onOpen: (account: Account) => Promise<void>;
  /** Open, and the server has delivered what it kept (or long not said so): what has no outcome may be sent again. */
  onReady: () => Promise<void>;
  /** It has stayed open so long that the next close is no continuation of an earlier trouble. */
  onStable: () => void;
  onClose: (code: number | undefined) => Promise<void>;
};

/** How long the server's word that all was delivered is waited for before messages are sent again. */
const CAUGHT_UP_WAIT_MS = 15_000;
const STABLE_AFTER_MS = 60_000;
const LOGOUT_WAIT_MS = 5_000;

/**
 * One socket of a device, from opening to its end. Everything that waits for it, and its timers, end with it; after
 * `close` nothing is told any more.
 */
export class Connection {
  readonly socket: Socket;
  readonly #options: Options;
  readonly #timers = new Timers();
  #isOpen = false;
  #isCaughtUp = false;
  #isEnded = false;
  #onLoggedOut: (() => void) | undefined;

  constructor(options: Options) {
    this.#options = options;
    const { life, config, log, onPaired, onPasskey } = options;
    life.inbox.onConnecting();
    this.socket = openSocket(life.state, config, {
      onQr: this.#whileAlive((code, expiresAt) => this.#onQr(code, expiresAt)),
      onPaired: this.#whileAlive(async () => {
        life.chats.intake.expect();
        await onPaired();
      }),
      onPasskey: this.#whileAlive(onPasskey),
      onOpen: this.#whileAlive((account) => this.#onOpen(account)),
      onCaughtUp: this.#whileAlive(() => this.#onCaughtUp()),
      onClose: this.#whileAlive((code) => this.#onClose(code)),
      onAck: this.#whileAlive((messageId, errorCode) =>
        answerAck(life.outbox, this.socket, log, { messageId, errorCode }),
      ),
      onReceiptAck: this.#whileAlive((messageId) => life.inbox.onReceiptAck(messageId)),
      // At once, too: they ride on the append of what Baileys itself has changed.
      onHistory: life.chats.onHistory,
      onContacts: life.chats.onContacts,
      onChatRead: life.chats.onChatRead,
      findMessage: (messageId) => life.chats.reader.rawMessage(messageId),
      mediaPart: (message, upload) => life.outgoingMedia.part(message, upload),
    });
    // Baileys waits for ever on a server that takes the connection and then says nothing.
    this.#timers.after(config.connectTimeoutMs, () => this.#giveUpWaiting());
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isEnded;
  }

  /** How long the server has not been heard, in milliseconds; 0 before the connection is open. */
  get silentMs(): number {
    return this.isOpen ? performance.now() - this.socket.lastHeardAt() : 0;
  }

  /**
   * Asks the phone for messages of a chat before this one, and waits until they are stored.
   * @returns how many it gave; undefined when it does not answer in time
   */
  async requestHistory(before: StoredMessage, count: number, timeoutMs: number): Promise<number | undefined> {
    const { chat, id, fromMe, at } = before;
    const ask = () => this.socket.requestHistory({ chat, id, fromMe, at }, count);
    return await this.#options.life.chats.intake.ask(ask, timeoutMs);
  }

  /** Closes without logging out. */
  close(): void {
    this.#end();
    this.socket.close();
  }

  /** Removes the link on WhatsApp's side and closes. Resolves when the server has closed, or did not in time. */
  async logOut(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#onLoggedOut = resolve;
    });
    this.#timers.after(LOGOUT_WAIT_MS, () => this.#onLoggedOut?.());
    await this.socket.logout().catch((err: unknown) => this.#options.log.warn({ err }, "logout not sent"));
    await ended;
    this.close();
  }

  async #onQr(code: string, expiresAt: Date): Promise<void> {
    // From here on it waits for a person, and Baileys itself says when that has taken too long.
    this.#timers.clear();
    await this.#options.onQr(code, expiresAt);
  }

  async #onOpen(account: Account): Promise<void> {
    this.#timers.clear();
    this.#isOpen = true;
    await this.#options.life.chats.store.belongTo(account.phone);
    this.#timers.after(STABLE_AFTER_MS, this.#options.onStable);
    await this.#options.onOpen(account);
    if (!this.#isEnded) this.#options.life.receivedMedia.onOpen(this.socket);
    if (this.#isCaughtUp) await this.#options.onReady();
    else this.#timers.after(CAUGHT_UP_WAIT_MS, this.#whileAlive(this.#options.onReady));
  }

  /** Comes before or after `onOpen`, as it pleases the server. */
  async #onCaughtUp(): Promise<void> {
    this.#isCaughtUp = true;
    this.#options.life.inbox.onCaughtUp((entry) => {
      if (!this.#isEnded) this.socket.takeAgain(entry);
    });
    if (this.#isOpen) await this.#options.onReady();
  }

  async #onClose(code: number | undefined): Promise<void> {
    if (this.#onLoggedOut) return this.#onLoggedOut();
    this.#end();
    await this.#options.onClose(code);
  }

  #giveUpWaiting(): void {
    this.close();
    this.#options.onClose(undefined).catch((err: unknown) => this.#report(err));
  }

  #end(): void {
    this.#isEnded = true;
    this.#timers.clear();
    this.#options.life.receivedMedia.onConnectionLost();
  }

  /** What a socket says in order is worked off in order of arrival, and its mistakes are ours to log. */
  #whileAlive<Values extends unknown[]>(handle: (...values: Values) => Promise<void> | void) {
    return (...values: Values): void => {
      if (this.#isEnded) return;
      const handled = (async () => await handle(...values))();
      handled.catch((err: unknown) => this.#report(err));
    };
  }

  #report(err: unknown): void {
    this.#options.log.error({ err }, "socket event failed");
  }
}
