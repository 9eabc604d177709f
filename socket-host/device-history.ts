import * as devices from "../shared/db/devices.ts";
import * as messages from "../shared/db/messages.ts";
import type { NewMessage } from "../shared/db/messages.ts";
import { isRefused, transaction } from "../shared/db/pool.ts";
import type { Database, Runner } from "../shared/db/pool.ts";
import * as sessionGroups from "../shared/db/session-groups.ts";
import type { LearntGroup } from "../shared/db/session-groups.ts";
import * as sessions from "../shared/db/sessions.ts";
import type { Link } from "../shared/db/sessions.ts";
import type { GroupUpdated, NewEvent } from "../shared/events.ts";
import type { Log } from "../shared/log.ts";
import { GROUP_SERVER, parseJid, phoneOfJid } from "../shared/jid.ts";
import type { Addresses } from "../shared/message.ts";
import { withText } from "./chat-store/changed-message.ts";
import { isMessage } from "./chat-store/chat-message.ts";
import type { Persisting } from "./inbox.ts";
import type { PersistenceRule } from "./persistence-rule.ts";
import type { AddressBook } from "./whatsapp/address-book.ts";
import type { IncomingMessage } from "./whatsapp/decode/incoming-message.ts";
import { sentMessage } from "./whatsapp/decode/sent-message.ts";

/** What became of own messages, to be written with their events. */
export type KeptMessages = {
  link: Link;
  /** Undefined for what is not known any more, or what nobody reads. */
  messageOf: (messageId: string) => NewMessage | undefined;
};

type Options = {
  link: Omit<Link, "number">;
  epoch: number;
  database: Database;
  book: AddressBook;
  rule: PersistenceRule;
  /** Own messages, as they are kept until they need not be sent again. */
  getOutbox: (messageId: string) => { to: string; bytes: Buffer; at: number } | undefined;
  log: Log;
};

/** Pairs of number and LID that are known to be written, so that they are not written with each message. */
const MAX_KNOWN_PAIRS = 2_000;
/** Groups as they were written last, so that they are not written with each look at them. */
const MAX_KNOWN_GROUPS = 2_000;

/** Messages of one device as rows in MySQL, for as long as its number is allowed. */
export class DeviceHistory {
  readonly #options: Options;
  readonly #knownPairs = new Set<string>();
  readonly #knownGroups = new Map<string, LearntGroup>();

  constructor(options: Options) {
    this.#options = options;
  }

  /**
   * Asks whether these messages may be kept.
   * @param facts what is told of them, and what else came in
   * @returns what writes them, and what they say about others, in the transaction that commits the facts
   */
  async persist(incoming: readonly IncomingMessage[], facts: readonly NewEvent[]): Promise<Persisting> {
    const link = this.#link();
    const isKept = link !== undefined && (await this.#options.rule(link));
    // What was deleted for everyone is not kept because the number is not allowed any more.
    const wanted = isKept ? incoming : incoming.filter(({ content }) => content.messageType === "delete");
    const groups = isKept ? facts.filter((fact) => fact.type === "group.updated") : [];
    if (!link || (!wanted.length && !groups.length)) return { isKept, write: async () => {} };
    return {
      isKept,
      write: (runner) => orElseWithout(this.#options.log, () => this.#write(runner, link, wanted, groups)),
    };
  }

  /** What of own messages may be written now; undefined when nothing may. */
  async own(): Promise<KeptMessages | undefined> {
    const link = this.#link();
    if (!link || !(await this.#options.rule(link))) return undefined;
    const { book, getOutbox } = this.#options;
    const messageOf = (messageId: string) => {
      const kept = getOutbox(messageId);
      const message = kept && sentMessage({ messageId, ...kept }, book);
      if (!message || !isMessage(message.content)) return undefined;
      return toRow({ ...message, chat: book.addressesOf(message.chat.jid), sender: book.self(), fromMe: true }, link);
    };
    return { link, messageOf };
  }

  /**
   * Keeps what WhatsApp has told of groups, for a number that is allowed. What cannot be written is in the log, and is tried
   * again with the next look.
   * @param find asked only when it may be kept
   */
  async learnGroups(find: () => Promise<LearntGroup[]>): Promise<void> {
    const link = this.#link();
    if (!link || !(await this.#options.rule(link))) return;
    const { database, epoch, log } = this.#options;
    const news = (await find()).filter(({ group, subject, inviteCode }) => {
      const known = this.#knownGroups.get(group);
      return known?.subject !== subject || (inviteCode !== undefined && known?.inviteCode !== inviteCode);
    });
    if (!news.length) return;
    try {
      await transaction(database, async (runner) => {
        const held = await devices.hold(runner, [{ deviceId: link.deviceId, epoch }], "waited for");
        const sessionId = held.size ? (await sessions.idsOf(runner, [link])).get(link.deviceId) : undefined;
        if (sessionId !== undefined) await sessionGroups.learn(runner, sessionId, news);
      });
    } catch (err) {
      const { code } = err as { code?: unknown };
      // As below.
      log.error({ code }, "groups not kept");
      return;
    }
    if (this.#knownGroups.size + news.length > MAX_KNOWN_GROUPS) this.#knownGroups.clear();
    for (const one of news.slice(0, MAX_KNOWN_GROUPS)) this.#knownGroups.set(one.group, one);
  }

  async #write(
    runner: Runner,
    link: Link,
    incoming: readonly IncomingMessage[],
    groups: readonly GroupUpdated[],
  ): Promise<void> {
    const sessionId = (await sessions.idsOf(runner, [link])).get(link.deviceId);
    if (sessionId === undefined) return;
    const rows = incoming.filter(({ content }) => isMessage(content)).map((message) => toRow(message, link));
    await messages.keep(
      runner,
      rows.map((message) => ({ sessionId, message })),
    );
    for (const message of incoming) {
      const change = toChange(message, link);
      if (change) await messages.change(runner, sessionId, change);
    }
    await messages.learnLids(runner, sessionId, this.#newPairs(incoming));
    for (const { data } of groups) {
      const { group, action, changes } = data;
      this.#knownGroups.delete(group);
      if (action === "deleted") await sessionGroups.forget(runner, sessionId, group);
      else await sessionGroups.learn(runner, sessionId, [{ group, ...changes }]);
    }
  }

  #newPairs(incoming: readonly IncomingMessage[]) {
    if (this.#knownPairs.size > MAX_KNOWN_PAIRS) this.#knownPairs.clear();
    const people = incoming.flatMap(({ chat, sender }) => [chat, sender]);
    return people.flatMap(({ phone, lid }) => {
      const key = `${phone}|${lid}`;
      if (!phone || !lid || this.#knownPairs.has(key)) return [];
      this.#knownPairs.add(key);
      return [{ phone, lid: `${lid}@lid` }];
    });
  }

  #link(): Link | undefined {
    const number = this.#options.book.self().phone;
    return number ? { ...this.#options.link, number } : undefined;
  }
}

/** Writes rows of a history where they can be written; what tells of them goes on without. */
export async function orElseWithout(log: Log, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (err) {
    if (!isRefused(err)) throw err;
    const { code } = err as { code?: unknown };
    // The error's text may quote a value.
    log.error({ code }, "messages not kept");
  }
}

const numberOf = ({ phone, jid }: Pick<Addresses, "phone" | "jid">) => phone ?? jid;

type Placed = Pick<IncomingMessage, "messageId" | "chat" | "fromMe" | "sentAt" | "content"> & {
  sender: Addresses & { name?: string | null };
};

function toRow({ messageId, chat, fromMe, sender, sentAt, content }: Placed, { number }: Link): NewMessage {
  const isGroup = parseJid(chat.jid)?.server === GROUP_SERVER;
  return {
    messageId,
    chat: chat.jid,
    sender: fromMe ? number : numberOf(sender),
    receiver: isGroup ? chat.jid : fromMe ? numberOf(chat) : number,
    senderName: sender.name ?? null,
    isOwn: fromMe,
    content,
    sentAt,
    status: fromMe ? "sent" : "received",
  };
}

function toChange({ content, sentAt, sender, fromMe }: IncomingMessage, { number }: Link) {
  if (content.messageType === "edit") {
    const by = fromMe ? number : numberOf(sender);
    const edit = (before: NewMessage["content"]) => withText(before, content);
    return { kind: "edited" as const, messageId: content.target.messageId, sender: by, at: sentAt, edit };
  }
  if (content.messageType !== "delete") return undefined;
  const { messageId, sender: author, fromMe: isOwn } = content.target;
  const by = isOwn ? number : (phoneOfJid(author) ?? author);
  return by ? { kind: "deleted" as const, messageId, sender: by, at: sentAt } : undefined;
}
