import type { PayloadLocation } from "../store/data-file.ts";
import type { StoredMessage, Visibility } from "./records.ts";

/** Receivable now; sent with a delay that is not over; received and neither deleted nor given back. */
export type Place = "available" | "delayed" | "inFlight";

/** A message in memory: what is stored, but for its body and attributes. */
export type Message = Omit<StoredMessage, keyof Visibility> & {
  /** Replaced by another one, never changed: whoever captured it keeps what was true then. */
  visibility: Readonly<Visibility>;
  payload: PayloadLocation;
  /** A receive picked it and is not yet durable. */
  claimed: boolean;
  place: Place;
};

/** Of the many messages that only wait. */
const NEVER_HIDDEN: Readonly<Visibility> = { visibleAt: 0, receives: 0 };

/** What of a record is its visibility. */
export function toVisibility({ visibleAt, receives, firstReceivedAt, receipt }: Visibility): Readonly<Visibility> {
  return visibleAt === 0 && receives === 0 ? NEVER_HIDDEN : { visibleAt, receives, firstReceivedAt, receipt };
}

/**
 * Every field is written out, absent ones too, and no rest property is used: there may be hundreds of thousands of them,
 * and V8 keeps a hidden class for each object that was made in another way.
 */
export function toMessage(stored: StoredMessage, payload: PayloadLocation): Message {
  const { id, sequence, sentAt, bodyBytes, group, dedupId, source } = stored;
  const visibility = toVisibility(stored);
  return {
    id,
    sequence,
    sentAt,
    bodyBytes,
    group,
    dedupId,
    source,
    visibility,
    payload,
    claimed: false,
    place: "available",
  };
}

/** What is stored of a message. Absent fields are undefined, which JSON leaves out. */
export function toStored(message: Message, visibility: Readonly<Visibility>): StoredMessage {
  const { id, sequence, sentAt, bodyBytes, group, dedupId, source } = message;
  const { visibleAt, receives, firstReceivedAt, receipt } = visibility;
  return {
    id,
    sequence,
    sentAt,
    bodyBytes,
    visibleAt,
    receives,
    firstReceivedAt,
    receipt,
    group,
    dedupId,
    source,
  };
}

/** The order in which the available messages of a queue are given out. */
export type DeliveryOrder = {
  add: (message: Message) => void;
  remove: (message: Message) => void;
  /** `message.place` is new, it was `from`. */
  placed: (message: Message, from: Place) => void;
  /** At most `max` messages that are to be given out next. */
  next: (max: number) => Message[];
};

/** SQS numbers have 20 digits; ours count from here, for all queues together. */
const FIRST_SEQUENCE = 18_850_000_000_000_000_000n;

export function sequenceNumber(sequence: number): string {
  return String(FIRST_SEQUENCE + BigInt(sequence));
}
