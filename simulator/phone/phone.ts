import { randomBytes } from "node:crypto";
import type { KeyPair } from "@whiskeysockets/baileys";
import type { Account } from "../network/account.ts";
import type { Endpoint, KeyBundle } from "../network/endpoint.ts";
import type { LinkedDevice } from "../network/linked-device.ts";
import type { Network } from "../network/network.ts";
import { placeOf } from "../network/place-of.ts";
import { routeReceipt } from "../network/route-receipt.ts";
import { MAX_QUEUED_STANZAS } from "../network/stanza-queue.ts";
import { decodeStanza } from "../wire/decode-stanza.ts";
import { encodeStanza } from "../wire/encode-stanza.ts";
import { child, node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import { answerPeer } from "./answer-peer.ts";
import { AppStateDesk } from "./app-state-desk.ts";
import { appStateKeyShare, createAppStateKey, type AppStateKey } from "./app-state-key.ts";
import { chatJid, chatName, personJid, type Chat } from "./chat.ts";
import { PhoneCipher, type CipherRecord } from "./cipher.ts";
import { compose, type Draft, type Wrapping } from "./compose.ts";
import { firstHistories, historyMessage } from "./history-sync.ts";
import { History, type HistoryRecord, type PastText } from "./history.ts";
import { Inbox, type InboxRecord } from "./inbox.ts";
import { KnownMessages, type KnownMessagesRecord } from "./known-messages.ts";
import { Outbox, type OutboxRecord } from "./outbox.ts";
import { Receiver, type PeerRequest } from "./receiver.ts";
import { renewMedia } from "./renew-media.ts";
import { Serial } from "./serial.ts";

export type PhoneSettings = {
  /** Acknowledges delivery at once. */
  autoDelivered: boolean;
  /** Reads everything at once. */
  autoRead: boolean;
  /** A phone that is not online receives nothing and sends nothing until it is again. */
  online: boolean;
  /** Whether the person is looking at it. */
  presence: "available" | "unavailable";
};

export type PhoneRecord = {
  settings: PhoneSettings;
  cipher: CipherRecord;
  appStateKey: AppStateKey;
  inbox: InboxRecord;
  known: KnownMessagesRecord;
  history: HistoryRecord;
  outbox: OutboxRecord;
  waiting: Uint8Array[];
};

/**
 * `unknown-message`: the phone does not know a message that is named; `not-allowed`: not in the group, only admins write
 * there, not the person's own message, no such poll or option.
 */
export type SendOutcome =
  | { outcome: "sent"; id: string }
  | { outcome: "offline" }
  | { outcome: "unknown-message" }
  | { outcome: "not-allowed" };
/** `copies`: how often the message is sent, each time encrypted anew, always under the same id. */
export type SendOptions = Wrapping & { copies?: number | undefined };
export type ReceiptType = "delivered" | "read" | "played";

const DEFAULT_SETTINGS: PhoneSettings = { autoDelivered: true, autoRead: false, online: true, presence: "available" };

/** A person's phone, device 0 of the account: really encrypts and decrypts, one thing after the other. */
export class Phone implements Endpoint {
  readonly account: Account;
  readonly device = 0;
  readonly inbox: Inbox;
  readonly appState: AppStateDesk;
  readonly #network: Network;
  readonly #cipher: PhoneCipher;
  readonly #appStateKey: AppStateKey;
  readonly #known: KnownMessages;
  readonly #history: History;
  readonly #outbox: Outbox;
  readonly #receiver: Receiver;
  readonly #jobs = new Serial();
  #settings: PhoneSettings;
  /**
   * What has arrived and was not looked at yet, as it is on the wire: as objects, thousands of them would keep the garbage
   * collector busy.
   */
  readonly #waiting: Uint8Array[];
  #isStopped = false;

  constructor(network: Network, account: Account, record?: PhoneRecord) {
    this.#network = network;
    this.account = account;
    this.#settings = { ...DEFAULT_SETTINGS, ...record?.settings };
    const cipher = new PhoneCipher(record?.cipher);
    const known = new KnownMessages(record?.known);
    this.#cipher = cipher;
    this.#appStateKey = record?.appStateKey ?? createAppStateKey();
    this.appState = new AppStateDesk(network, account, this.#appStateKey);
    this.inbox = new Inbox(record?.inbox);
    this.#known = known;
    this.#history = new History(known, record?.history);
    this.#outbox = new Outbox(network, this, { cipher, known, record: record?.outbox });
    this.#waiting = record?.waiting ?? [];
    this.#receiver = new Receiver(network, this, { cipher, known, inbox: this.inbox });
  }

  /** The account's identity: signs its companions and its Signal sessions. */
  get identity(): KeyPair {
    return this.#cipher.identity;
  }

  get settings(): PhoneSettings {
    return this.#settings;
  }

  change(settings: Partial<PhoneSettings>): void {
    this.#settings = { ...this.#settings, ...settings };
    this.#network.changed(this.account);
    this.workOff();
  }

  deliver(stanza: BinaryNode): void {
    this.#waiting.push(encodeStanza(stanza));
    if (this.#waiting.length > MAX_QUEUED_STANZAS) {
      this.#waiting.shift();
      this.#network.stats.droppedFromQueues++;
    }
    this.#network.changed(this.account);
    if (this.#settings.online) void this.#jobs.run(() => this.#takeNext());
  }

  /** Takes up what waits, if the phone is online: after a restart, or when it comes online. */
  workOff(): void {
    for (let count = this.#waiting.length; count > 0; count--) void this.#jobs.run(() => this.#takeNext());
  }

  takeKeyBundle(): KeyBundle {
    const bundle = this.#cipher.takeKeyBundle();
    this.#network.changed(this.account);
    return bundle;
  }

  /** The person writes; answers when it is on its way. */
  async send(chat: Chat, draft: Draft, { copies = 1, ...wrapping }: SendOptions = {}): Promise<SendOutcome> {
    if (!this.#settings.online) return { outcome: "offline" };
    if (!mayWrite(this.account, chat)) return { outcome: "not-allowed" };
    const ephemeralSeconds =
      wrapping.ephemeralSeconds ?? (chat.kind === "group" ? chat.group.settings.ephemeralSeconds : 0);
    const desk = {
      self: this.account,
      chat,
      known: (id: string) => this.#history.get(id),
      author: (number: string) => this.#network.account(number),
    };
    const composed = compose(desk, draft, { ...wrapping, ephemeralSeconds });
    if (typeof composed === "string") return { outcome: composed };
    const id = `AC${randomBytes(15).toString("hex").toUpperCase()}`; // as Android phones do: AC and 30 hex digits
    await this.#jobs.run(async () => {
      for (let i = 0; i < copies; i++) await this.#outbox.send(id, chat, composed);
    });
    return { outcome: "sent", id };
  }

  /** The person's phone says that messages of a chat arrived, were read, were played. */
  sendReceipt(chat: Chat, ids: string[], type: ReceiptType): void {
    const authors = new Map<string | undefined, string[]>();
    for (const id of ids) {
      const author = this.#network.account(this.#known.get(id)?.author ?? "");
      const participant = chat.kind === "group" ? author && personJid(chat, author) : undefined;
      authors.set(participant, [...(authors.get(participant) ?? []), id]);
    }
    for (const [participant, [first = "", ...others]] of authors) {
      const items = others.map((id) => node("item", { id }));
      const content = items.length > 0 ? [node("list", {}, items)] : undefined;
      const attributes = { id: first, to: chatJid(chat), participant, type: type === "delivered" ? undefined : type };
      routeReceipt(this.#network, this, node("receipt", { ...attributes, t: nowSeconds() }, content));
    }
  }

  /** From now on this is in the phone's history. */
  remember(chat: Chat, texts: PastText[]): void {
    this.#history.add(chatName(chat), texts);
    this.#network.changed(this.account);
  }

  /** The device does not exist any more. */
  forget(device: LinkedDevice): void {
    this.#outbox.forget(device);
    if (this.#cipher.knows(device)) void this.#jobs.run(() => this.#cipher.forget(device));
  }

  /** Tells a freshly linked device what it needs to start, and what is in the chats. */
  async bootstrap(device: LinkedDevice): Promise<void> {
    await this.#jobs.run(async () => {
      await this.#outbox.sendPeer(device, appStateKeyShare(this.#appStateKey));
      if (!this.#keepsHistoryFrom(device)) {
        for (const history of firstHistories(this.#network, this.account, this.#history.chats())) {
          await this.#outbox.sendPeer(device, await historyMessage(this.#network, this.account, history));
        }
      }
      device.isBootstrapped = true;
      this.#network.changed(this.account);
    });
  }

  async #takeNext(): Promise<void> {
    if (!this.#settings.online || this.#isStopped) return;
    const next = this.#waiting.shift();
    if (!next) return;
    const stanza = decodeStanza(Buffer.from(next));
    if (stanza.tag === "message") await this.#receive(stanza);
    else if (stanza.tag === "receipt" && stanza.attrs["type"] === "retry") await this.#outbox.sendAgain(stanza);
    else if (stanza.tag === "receipt" && stanza.attrs["type"] === "server-error") await this.#renewMedia(stanza);
    else if (stanza.attrs["type"] === "w:gp2" && child(stanza, "remove")) {
      this.#outbox.renewSenderKey(stanza.attrs["from"] ?? "");
    }
    this.#network.changed(this.account);
  }

  async #receive(stanza: BinaryNode): Promise<void> {
    const { autoDelivered, autoRead } = this.#settings;
    const receipts = [...(autoDelivered ? (["delivered"] as const) : []), ...(autoRead ? (["read"] as const) : [])];
    const request = await this.#receiver.receive(stanza, receipts);
    if (request) await this.#answerPeer(request);
  }

  async #answerPeer(request: PeerRequest): Promise<void> {
    if (this.#keepsHistoryFrom(request.device)) return;
    const answer = await answerPeer(this.#network, this.account, this.#history, request);
    if (answer) await this.#outbox.sendPeer(request.device, answer);
  }

  #keepsHistoryFrom({ device }: Endpoint): boolean {
    return this.#network.faults.take("no-history", placeOf(this.#network, this.account, device)) !== undefined;
  }

  /** A linked device could not download a file: the phone uploads it again. */
  async #renewMedia(request: BinaryNode): Promise<void> {
    const { media } = this.#network;
    const { id = "", from } = request.attrs;
    const answer = await renewMedia(media, request, this.#known.get(id)).catch(() => undefined);
    this.#network.changed(media);
    if (answer) this.#network.endpoint(from)?.deliver(answer);
  }

  toRecord(): PhoneRecord {
    return {
      settings: this.#settings,
      cipher: this.#cipher.toRecord(),
      appStateKey: this.#appStateKey,
      inbox: this.inbox.toRecord(),
      known: this.#known.toRecord(),
      history: this.#history.toRecord(),
      outbox: this.#outbox.toRecord(),
      waiting: [...this.#waiting],
    };
  }

  /** Finishes what is under way; everything after that waits for the next life. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.inbox.dispose();
    await this.#jobs.idle();
    this.#cipher.dispose();
  }
}

function mayWrite(account: Account, chat: Chat): boolean {
  if (chat.kind === "person") return true;
  const { group } = chat;
  return group.members.has(account.number) && (!group.settings.announcement || group.isAdmin(account));
}
