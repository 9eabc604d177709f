import type { ChatMessage } from "./chat-message.ts";
import type { Contact } from "./chat-records.ts";

/** A piece of what the phone remembers. */
export type History = {
  contacts: Iterable<Contact & { address: string }>;
  chats: Iterable<HistoryChat>;
};

export type HistoryChat = {
  address: string;
  /** The name of a group. */
  name?: string;
  unreadCount: number;
  /** In any order. */
  messages: readonly HistoryMessage[];
};

/** `at` in milliseconds since 1970. Reading converts it, which takes time; undefined for what no person sees. */
export type HistoryMessage = { at: number; fromMe: boolean; read: () => ChatMessage | undefined };
