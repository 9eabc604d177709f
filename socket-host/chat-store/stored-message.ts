import type { MessageContent } from "../../shared/message.ts";

/** Of own messages, from `pending` on; `received` of all others. */
export type StoredStatus = "pending" | "failed" | "sent" | "delivered" | "read" | "received";

/** A message as the chat store keeps it. Addresses are without device, the phone number's where it is known. */
export type StoredMessage = {
  id: string;
  chat: string;
  fromMe: boolean;
  /** Who wrote it; empty for an own message. */
  sender: string;
  /** As the sender calls themselves. */
  name?: string;
  /** Milliseconds since 1970. WhatsApp tells whole seconds. */
  at: number;
  /** Which of two of one time came first: rises with every message that the store takes. */
  n: number;
  status: StoredStatus;
  /** Null: deleted for everyone. */
  content: MessageContent | null;
  editedAt?: number;
  /** Emoji by the address of who reacted. */
  reactions?: Record<string, string>;
  /** As WhatsApp encodes it, in base64 and without thumbnails: for own messages, media and polls. */
  raw?: string;
};

/** A message's place in its chat. */
export type Position = Pick<StoredMessage, "at" | "n">;
export const comparePositions = (a: Position, b: Position) => a.at - b.at || a.n - b.n;

const RANK: Record<StoredStatus, number> = { received: 0, pending: 0, failed: 1, sent: 2, delivered: 3, read: 4 };
/** A late receipt takes nothing back. */
export const isFurther = (next: StoredStatus, now: StoredStatus) => RANK[next] > RANK[now];

/** What names one message of a device: the same for every copy of it and for each later version. */
export type Identity = Pick<StoredMessage, "id" | "chat" | "fromMe" | "sender">;

/** Senders choose ids, so these are escaped; addresses have been parsed. */
export function nameOf({ id, chat, fromMe, sender }: Identity): string {
  return [encodeURIComponent(id), fromMe ? "1" : "0", chat, fromMe ? "" : sender].join("|");
}

export function identityOf(name: string): Identity {
  const [id = "", fromMe, chat = "", sender = ""] = name.split("|");
  return { id: decodeURIComponent(id), fromMe: fromMe === "1", chat, sender };
}

/** Begins the name of every message of this id. */
export const prefixOfId = (id: string) => `${encodeURIComponent(id)}|`;
