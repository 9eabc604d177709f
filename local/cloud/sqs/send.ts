import { createHash, randomUUID } from "node:crypto";
import type { Transaction } from "../store/journal.ts";
import { batchEntries, runBatch } from "./batch.ts";
import type { Action, SqsContext } from "./context.ts";
import {
  batchError,
  invalidMessageContents,
  invalidParameter,
  missingParameter,
  unsupportedOperation,
} from "./errors.ts";
import { FIFO_ID } from "./fifo-id.ts";
import { optionalInteger, optionalObject, optionalText, requiredText } from "./input.ts";
import type { Input } from "./input.ts";
import { attributesBytes, attributesMd5, parseMessageAttributes } from "./message-attributes.ts";
import { sequenceNumber } from "./message.ts";
import { queueOf } from "./queue-names.ts";
import type { Queue } from "./queue.ts";
import type { SqsRecord, StoredMessage } from "./records.ts";

/** API reference, SendMessage: "The token used for deduplication" is remembered for five minutes. */
const DEDUPLICATION_MS = 5 * 60_000;
const LONGEST_BATCH_BYTES = 1_048_576;
const LONGEST_DELAY_SECONDS = 900;
/** The characters that XML 1.0 does not allow (API reference, SendMessage, `MessageBody`). */
// oxlint-disable-next-line no-control-regex -- these are the characters to find
const FORBIDDEN_CHARACTERS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;

export const sendMessage: Action = async (context, { input }) => {
  return { output: await send(context, queueOf(context.queues, input), input) };
};

export const sendMessageBatch: Action = async (context, { input }) => {
  const queue = queueOf(context.queues, input);
  const entries = batchEntries(input);
  const bytes = entries.reduce((sum, { entry }) => sum + sizeOrNothing(entry), 0);
  if (bytes > LONGEST_BATCH_BYTES) {
    const message = `Batch requests cannot be longer than ${LONGEST_BATCH_BYTES} bytes. You have sent ${bytes} bytes.`;
    throw batchError("BatchRequestTooLong", message);
  }
  return { output: await runBatch(entries, (entry) => send(context, queue, entry)) };
};

/** Sends one message as SendMessage does, and gives what it answers. Throws `AwsError` or `StorageError`. */
export async function send(context: SqsContext, queue: Queue, input: Input): Promise<object> {
  const draft = parseDraft(queue, input);
  const sent = await enqueueOnce(context, queue, draft);
  return {
    MD5OfMessageBody: draft.bodyMd5,
    ...(draft.attributesMd5 !== undefined && { MD5OfMessageAttributes: draft.attributesMd5 }),
    MessageId: sent.id,
    ...(queue.fifo && { SequenceNumber: sequenceNumber(sent.sequence) }),
  };
}

type Draft = {
  /** The body, then the attributes as JSON if there are any. */
  payload: Buffer;
  bodyBytes: number;
  bodyMd5: string;
  attributesMd5: string | undefined;
  delayMs: number;
  fifo: { group: string; dedupId: string; dedupKey: string } | undefined;
};

function parseDraft(queue: Queue, input: Input): Draft {
  const { settings } = queue;
  const body = requiredText(input, "MessageBody");
  if (FORBIDDEN_CHARACTERS.test(body)) throw invalidMessageContents();
  if (optionalObject(input, "MessageSystemAttributes")) {
    throw unsupportedOperation("The local cloud does not support message system attributes.");
  }
  const attributes = parseMessageAttributes(input);
  if (sizeOf(input) > settings.maximumMessageBytes) {
    const reason = `Message must be shorter than ${settings.maximumMessageBytes} bytes.`;
    throw invalidParameter(`One or more parameters are invalid. Reason: ${reason}`);
  }
  const bytes = Buffer.from(body);
  const hasAttributes = Object.keys(attributes).length > 0;
  return {
    payload: hasAttributes ? Buffer.concat([bytes, Buffer.from(JSON.stringify(attributes))]) : bytes,
    bodyBytes: bytes.length,
    bodyMd5: createHash("md5").update(bytes).digest("hex"),
    attributesMd5: hasAttributes ? attributesMd5(attributes) : undefined,
    ...(settings.fifo ? parseFifo(queue, input, bytes) : parseStandard(queue, input)),
  };
}

function parseStandard(queue: Queue, input: Input): Pick<Draft, "delayMs" | "fifo"> {
  if (optionalText(input, "MessageDeduplicationId") !== undefined) {
    throw invalidParameter("The request include parameter that is not valid for this queue type");
  }
  const delay = optionalInteger(input, "DelaySeconds", 0, LONGEST_DELAY_SECONDS) ?? queue.settings.delaySeconds;
  return { delayMs: delay * 1000, fifo: undefined };
}

function parseFifo({ settings }: Queue, input: Input, body: Buffer): Pick<Draft, "delayMs" | "fifo"> {
  const group = optionalText(input, "MessageGroupId");
  if (!group) throw missingParameter("MessageGroupId");
  const delay = optionalInteger(input, "DelaySeconds", 0, LONGEST_DELAY_SECONDS);
  if (delay) {
    const reason = "The request include parameter that is not valid for this queue type.";
    throw invalidParameter(`Value ${delay} for parameter DelaySeconds is invalid. Reason: ${reason}`);
  }
  const given = optionalText(input, "MessageDeduplicationId");
  if (given === undefined && !settings.contentBasedDeduplication) {
    throw invalidParameter(
      "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    );
  }
  const dedupId = given ?? createHash("sha256").update(body).digest("hex");
  for (const [name, value] of [
    ["MessageGroupId", group],
    ["MessageDeduplicationId", dedupId],
  ] as const) {
    if (FIFO_ID.test(value)) continue;
    const reason = `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`;
    throw invalidParameter(`Value ${value} for parameter ${name} is invalid. Reason: ${reason}`);
  }
  const dedupKey = settings.deduplicatePerGroup ? `${group} ${dedupId}` : dedupId;
  return { delayMs: settings.delaySeconds * 1000, fifo: { group, dedupId, dedupKey } };
}

function sizeOf(input: Input): number {
  return Buffer.byteLength(optionalText(input, "MessageBody") ?? "") + attributesBytes(parseMessageAttributes(input));
}

/** An entry that cannot be measured is refused by itself later on. */
function sizeOrNothing(entry: Input): number {
  try {
    return sizeOf(entry);
  } catch {
    return 0;
  }
}

type Sent = { id: string; sequence: number };

/** Adds the message, unless the same was sent within five minutes: then gives what the first send gave. */
async function enqueueOnce(context: SqsContext, queue: Queue, draft: Draft): Promise<Sent> {
  const key = draft.fifo?.dedupKey;
  if (key === undefined) return enqueue(context, queue, draft);
  // The same message may be on its way to the disk: whether it arrives decides what this one is.
  for (let other = queue.sending.get(key); other; other = queue.sending.get(key)) await other;
  const first = queue.dedup.get(key);
  if (first && first.until > context.now()) return first;
  const sending = enqueue(context, queue, draft);
  queue.sending.set(
    key,
    sending.catch(() => undefined),
  );
  try {
    return await sending;
  } finally {
    queue.sending.delete(key);
  }
}

async function enqueue(context: SqsContext, queue: Queue, draft: Draft): Promise<Sent> {
  const id = randomUUID();
  const sequence = context.queues.nextSequence();
  await context.commit(sendTransaction(queue.name, id, sequence, context.now(), draft));
  return { id, sequence };
}

function sendTransaction(
  queue: string,
  id: string,
  sequence: number,
  sentAt: number,
  { payload, bodyBytes, delayMs, fifo }: Draft,
): Transaction<SqsRecord> {
  const visibleAt = delayMs > 0 ? sentAt + delayMs : 0;
  const message: StoredMessage = { id, sequence, sentAt, bodyBytes, visibleAt, receives: 0 };
  if (!fifo) return { records: [{ type: "sqs.message", queue, ...message }], payload };
  const { group, dedupId, dedupKey: key } = fifo;
  const records: SqsRecord[] = [
    { type: "sqs.message", queue, ...message, group, dedupId },
    { type: "sqs.dedup", queue, key, id, sequence, until: sentAt + DEDUPLICATION_MS },
  ];
  return { records, payload };
}
