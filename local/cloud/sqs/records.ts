import type { MoveTask } from "./move-task.ts";

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
  /** A message went to another queue: to the dead-letter queue with its `source`, or out of it with a new id. */
  | (Moved & { source: string })
  | (Moved & { newId: string })
  /** A receive with this attempt id got these messages; until then it can be repeated. */
  | ({ type: "sqs.attempt"; queue: string; attempt: string } & ReceiveAttempt)
  /** All tags of the queue. */
  | { type: "sqs.tags"; queue: string; tags: Readonly<Record<string, string>> }
  /** A task began, or this of it has changed. */
  | ({ type: "sqs.moveTask"; queue: string; handle: string } & Partial<MoveTask>)
  /** No message that is left has a sequence number this high. */
  | { type: "sqs.sequence"; last: number };

type Moved = { type: "sqs.moved"; queue: string; id: string; to: string; sequence: number; sentAt: number };

export type Visibility = {
  /** Hidden until then. */
  visibleAt: number;
  receives: number;
  firstReceivedAt?: number | undefined;
  /** The last part of the receipt handle that was given out last. */
  receipt?: string | undefined;
};

export type StoredMessage = Visibility & {
  id: string;
  sequence: number;
  sentAt: number;
  bodyBytes: number;
  group?: string | undefined;
  dedupId?: string | undefined;
  /** ARN of the queue that this message was moved from. */
  source?: string | undefined;
};

/** The messages as that receive left them: one that is not like this any more was deleted, changed or received again. */
export type ReceiveAttempt = { messages: { id: string; receipt: string; visibleAt: number }[]; until: number };
