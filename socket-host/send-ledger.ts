import type { SendingPayload } from "../shared/commands.ts";
import type { Runner } from "../shared/db/pool.ts";
import type { MessageSent } from "../shared/events.ts";
import type { MessageId } from "../shared/ids.ts";
import type { Refusal } from "./refusal.ts";

/** What asked for a message, as its events tell it. */
export type Origin = Omit<MessageSent["data"], "messageId" | "to">;

/**
 * A message to send. Its id is derived from the row that asks for it, so that every attempt is the same message; `to`
 * is the JID in `content`.
 */
export type Outgoing = {
  messageId: MessageId;
  to: string;
  content: SendingPayload;
  origin: Origin;
  ledger: SendLedger;
};

/** A message that is a row of a ledger. `to` is null when the row is finished: its content is erased by then. */
export type Sent = { messageId: MessageId; to: string | null; origin: Origin };

/**
 * The rows that ask for messages and are told what became of them: the commands of a device, and whatever else sends.
 * All of it is bound to one device and the epoch of its host; a host that lost the device changes nothing. States only
 * move forward, so that being told twice, or late, does no harm. What takes a `runner` runs inside the caller's
 * transaction, which has locked the device's row before.
 */
export type SendLedger = {
  /** Messages that were begun and have no outcome, oldest first. */
  listUnresolved: () => Promise<Outgoing[]>;
  /** Marks a message as being sent, again after a crash too. False: it has an outcome, or the device is another host's. */
  start: (message: Outgoing) => Promise<boolean>;
  /** Of these messages, those that are rows here. */
  find: (runner: Runner, messageIds: readonly string[]) => Promise<Sent[]>;
  /** WhatsApp's server has taken it. */
  accept: (runner: Runner, message: Sent & { to: string }, at: Date) => Promise<void>;
  /** WhatsApp's server has refused it, for good. */
  refuse: (runner: Runner, message: Sent, refusal: Refusal) => Promise<void>;
  /** No answer came; it is sent again under the same id. */
  markUnknown: (message: Sent) => Promise<void>;
  /** The link is gone: whatever was begun and has no outcome will never have one. */
  abandon: () => Promise<void>;
  /** A recipient has it. False when that was known. */
  markReceived: (runner: Runner, message: Sent, status: "delivered" | "read") => Promise<boolean>;
};
