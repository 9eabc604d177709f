import type { NewEvent } from "../../../shared/events.ts";
import type { JournalEntry } from "../../device-state/state.ts";
import { incomingMessages } from "./incoming-message.ts";
import type { IncomingMessage, Reader } from "./incoming-message.ts";
import type { Receipt } from "./receipt.ts";

/** Kinds of journal entries that are no messages. */
const RECEIPT = "receipt";
const FACTS = "facts";
const UNAVAILABLE = "unavailable";

type Attributes = Record<string, string>;

/** What a journal entry tells: always of one kind. */
export type Journaled = { receipts: Receipt[]; messages: IncomingMessage[]; facts: NewEvent[] };

const entryOf = (kind: string, value: unknown): JournalEntry => ({
  attrs: {},
  kind,
  plain: Buffer.from(JSON.stringify(value)),
  at: Date.now(),
});

export const receiptEntry = (receipt: Receipt): [key: string, entry: JournalEntry] => [
  [RECEIPT, receipt.status, receipt.participant?.jid ?? "", receipt.messageIds[0]].join(":"),
  entryOf(RECEIPT, receipt),
];

/** Of one stanza; its first fact names it. */
export const factsEntry = (facts: readonly NewEvent[]): [key: string, entry: JournalEntry] => [
  [FACTS, facts[0]?.dedupeKey].join(":"),
  entryOf(FACTS, facts),
];

/**
 * A message that came without content (`type` says why): Baileys acknowledges it and asks our phone for it. The entry
 * waits for the phone's answer.
 */
export const unavailableEntry = (attrs: Attributes, type: string): [key: string, entry: JournalEntry] => [
  unavailableKey(attrs["id"] ?? ""),
  { attrs, kind: UNAVAILABLE, plain: Buffer.from(type), at: Date.now() },
];
export const unavailableKey = (messageId: string) => `${UNAVAILABLE}:${messageId}`;
export const isUnavailable = ({ kind }: JournalEntry) => kind === UNAVAILABLE;

/** Whether the server expects a receipt for what is journaled, and brings it again until it has that. */
export const isMessage = ({ kind }: JournalEntry) => ![RECEIPT, FACTS, UNAVAILABLE].includes(kind);

export function readJournaled(entry: JournalEntry, reader: Reader): Journaled {
  const nothing = { receipts: [], messages: [], facts: [] };
  if (entry.kind === RECEIPT) return { ...nothing, receipts: [JSON.parse(entry.plain.toString()) as Receipt] };
  if (entry.kind === FACTS) {
    const facts = JSON.parse(entry.plain.toString()) as NewEvent[];
    return { ...nothing, facts: facts.map((fact) => ({ ...fact, occurredAt: new Date(fact.occurredAt) })) };
  }
  return isUnavailable(entry) ? nothing : { ...nothing, messages: incomingMessages(entry, reader) };
}
