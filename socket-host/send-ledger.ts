import type { SendingPayload } from "../shared/commands.ts";
import type { HeldDevices } from "../shared/db/devices.ts";
import type { Runner } from "../shared/db/pool.ts";
import type { CommandId, DeviceId, JobId, MessageId } from "../shared/ids.ts";
import type { Trace } from "../shared/trace.ts";
import type { Refusal } from "./refusal.ts";

/** What asked for a message, as its events tell it. */
export type Origin = { commandId: CommandId } | { jobId: JobId; itemIndex: number };

/**
 * A message to send. Its id is derived from the row that asks for it, so that every attempt is the same message; `to`
 * is the JID in `content`.
 */
export type Outgoing = {
  messageId: MessageId;
  to: string;
  content: SendingPayload;
  origin: Origin;
  /** Of the request that asked for it; a job's items have none. */
  trace: Trace | null;
  ledger: SendLedger;
};

/** A message that is a row of a ledger. `to` is null when the row is finished: its content is erased by then. */
export type Sent = { messageId: MessageId; to: string | null; origin: Origin; trace: Trace | null };

/** A message whose row is known, and whose device's row is held by the transaction at hand, under `epoch`. */
export type Asked = Sent & { deviceId: DeviceId; epoch: number; book: SendBook };

/**
 * A kind of rows that ask for messages and are told what became of them, of all devices: the commands, and whatever else
 * sends. All of it runs inside a transaction that holds the devices' rows (`held`) for their owner. States only move forward, so that being
 * told twice, or late, does no harm.
 */
export type SendBook = {
  /** Of these messages, those that are rows here. */
  find: (
    runner: Runner,
    wanted: readonly { deviceId: DeviceId; messageIds: readonly string[] }[],
  ) => Promise<(Sent & { deviceId: DeviceId })[]>;
  /** WhatsApp's server has taken them. */
  accept: (runner: Runner, messages: readonly (Asked & { to: string })[], at: Date, held: HeldDevices) => Promise<void>;
  /** WhatsApp's server has refused it, for good. */
  refuse: (runner: Runner, message: Asked, refusal: Refusal, held: HeldDevices) => Promise<void>;
  /** Recipients have them. Answers those of which that was not known. */
  markReceived: <Told extends { row: Asked; reached: "delivered" | "read" }>(
    runner: Runner,
    told: readonly Told[],
  ) => Promise<Told[]>;
};

/**
 * The rows of one device that ask for messages, under the epoch of its host; a host that lost the device changes nothing.
 */
export type SendLedger = {
  book: SendBook;
  /** Messages that were begun and have no outcome, oldest first. */
  listUnresolved: () => Promise<Outgoing[]>;
  /** Marks a message as being sent, again after a crash too. False: it has an outcome, or the device is another host's. */
  start: (message: Outgoing) => Promise<boolean>;
  /** No answer came; it is sent again under the same id. */
  markUnknown: (message: Sent) => Promise<void>;
  /** The link is gone: whatever was begun and has no outcome will never have one. */
  abandon: () => Promise<void>;
};
