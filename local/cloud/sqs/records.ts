/** What the journal holds of SQS. Times are Unix milliseconds. */
export type SqsRecord =
  /** A queue was created, or these of its attributes were set; an empty value unsets one. */
  | { type: "sqs.queue"; name: string; attributes: Record<string, string>; createdAt: number; modifiedAt: number }
  | { type: "sqs.queueDeleted"; name: string }
  | { type: "sqs.purged"; queue: string }
  /** The transaction's payload is the body, followed by the message attributes as JSON if there are any. */
  | ({ type: "sqs.message"; queue: string } & StoredMessage)
  /** The next send with this key is answered with this message until then. */
  | { type: "sqs.dedup"; queue: string; key: string; id: string; sequence: number; until: number }
  /** A message was received, its visibility changed, or a receive was taken back. */
  | ({ type: "sqs.visibility"; queue: string; id: string } & Visibility)
  | { type: "sqs.deleted"; queue: string; ids: string[] }
  /** A message went to the dead-letter queue `to`. */
  | { type: "sqs.moved"; queue: string; id: string; to: string; sequence: number; sentAt: number; source: string }
  /** No message that is left has a sequence number this high. */
  | { type: "sqs.sequence"; last: number };

export type Visibility = {
  /** Hidden until then. */
  visibleAt: number;
  receives: number;
  firstReceivedAt?: number;
  /** The last part of the receipt handle that was given out last. */
  receipt?: string;
};

export type StoredMessage = Visibility & {
  id: string;
  sequence: number;
  sentAt: number;
  bodyBytes: number;
  bodyMd5: string;
  group?: string;
  dedupId?: string;
  /** ARN of the queue that this message was moved from. */
  source?: string;
};
