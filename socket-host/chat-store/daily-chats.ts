import type { DailyChats, DailyContact } from "../../shared/chats.ts";
import { GROUP_SERVER, parseJid } from "../../shared/jid.ts";
import type { ChatReader } from "./chat-reader.ts";
import type { People } from "./people.ts";
import type { StoredMessage } from "./stored-message.ts";

/** `from` and `to` (the first millisecond after it) are the day, in milliseconds since 1970. */
export type Day = {
  date: string;
  from: number;
  to: number;
  includeGroups: boolean;
  limit: number;
  offset: number;
};

type Tally = { chat: string; incoming: number; outgoing: number; unread: number; lastAt: number };

/** Who was written with on a day, and how much. Exact for what the store holds of that day. */
export async function dailyChats(
  { reader, people }: { reader: ChatReader; people: People },
  { date, from, to, includeGroups, limit, offset }: Day,
): Promise<DailyChats> {
  const tallies = tally(await reader.between(from, to), people, (chat) => reader.readAt(chat));
  const wanted = tallies.filter(({ chat }) => includeGroups || !isGroup(chat)).sort((a, b) => b.lastAt - a.lastAt);
  const contacts = wanted.map((one) => toContact(one, reader.nameOf(one.chat), people.phone(one.chat)));
  const sum = (value: (contact: DailyContact) => number) => contacts.reduce((total, one) => total + value(one), 0);
  const answerable = contacts.filter(({ incomingMessages }) => incomingMessages > 0);
  const groupContacts = contacts.filter((one) => one.isGroup).length;
  return {
    contacts: contacts.slice(offset, offset + limit),
    summary: {
      date,
      totalContacts: contacts.length,
      individualContacts: contacts.length - groupContacts,
      groupContacts,
      totalMessages: sum(({ messageCount }) => messageCount),
      totalIncomingMessages: sum(({ incomingMessages }) => incomingMessages),
      totalOutgoingMessages: sum(({ outgoingMessages }) => outgoingMessages),
      totalUnreadMessages: sum(({ unreadMessages }) => unreadMessages),
      averageResponseRate: answerable.length
        ? Math.round(answerable.reduce((total, { responseRate }) => total + responseRate, 0) / answerable.length)
        : 0,
    },
    pagination: { total: contacts.length, limit, offset, hasMore: offset + limit < contacts.length },
  };
}

const isGroup = (chat: string) => parseJid(chat)?.server === GROUP_SERVER;

function tally(messages: readonly StoredMessage[], people: People, readAt: (chat: string) => number): Tally[] {
  const tallies = new Map<string, Tally & { readAt: number }>();
  for (const { chat, fromMe, at } of messages) {
    const canonical = people.canonical(chat);
    const one = tallies.get(canonical) ?? {
      chat: canonical,
      incoming: 0,
      outgoing: 0,
      unread: 0,
      lastAt: 0,
      readAt: readAt(canonical),
    };
    tallies.set(canonical, one);
    one[fromMe ? "outgoing" : "incoming"] += 1;
    if (!fromMe && at > one.readAt) one.unread += 1;
    one.lastAt = Math.max(one.lastAt, at);
  }
  return [...tallies.values()];
}

function toContact(
  { chat, incoming, outgoing, unread, lastAt }: Tally,
  name: string | null,
  phoneNumber: string | null,
): DailyContact {
  return {
    jid: chat,
    name,
    phoneNumber,
    isGroup: isGroup(chat),
    messageCount: incoming + outgoing,
    incomingMessages: incoming,
    outgoingMessages: outgoing,
    unreadMessages: unread,
    lastActivity: new Date(lastAt).toISOString(),
    responseRate: incoming ? Math.min(100, Math.round((100 * outgoing) / incoming)) : 0,
  };
}
