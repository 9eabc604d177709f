import { createHash } from "node:crypto";
import { readPayload } from "../store/data-file.ts";
import { LONGEST_VISIBILITY_SECONDS } from "./change-visibility.ts";
import type { Action, SqsContext } from "./context.ts";
import { overLimit } from "./errors.ts";
import { removeExpired } from "./expiry.ts";
import { optionalInteger, textList } from "./input.ts";
import { attributesMd5, chooseAttributes } from "./message-attributes.ts";
import type { MessageAttributes } from "./message-attributes.ts";
import { sequenceNumber } from "./message.ts";
import type { Message } from "./message.ts";
import { queueArn, queueOf } from "./queue-names.ts";
import type { Queue } from "./queue.ts";
import { messagesOfAttempt, newAttemptRecord, parseAttempt, repeatReceive } from "./receive-attempt.ts";
import { newReceipt, receiptHandle } from "./receipt.ts";
import type { SqsRecord, Visibility } from "./records.ts";

/** API reference, ReceiveMessage. */
const MOST_MESSAGES = 10;
const LONGEST_WAIT_SECONDS = 20;
/** Developer guide, "message quotas". */
const MOST_IN_FLIGHT = 120_000;
/** SenderId is not modelled: everybody who signs is the account. */
const SENDER = "000000000000";

export const receiveMessage: Action = async (context, { input, gone }) => {
  const queue = queueOf(context.queues, input);
  const max = optionalInteger(input, "MaxNumberOfMessages", 1, MOST_MESSAGES) ?? 1;
  const wait = optionalInteger(input, "WaitTimeSeconds", 0, LONGEST_WAIT_SECONDS) ?? queue.settings.waitSeconds;
  const visibility =
    optionalInteger(input, "VisibilityTimeout", 0, LONGEST_VISIBILITY_SECONDS) ??
    queue.settings.visibilityTimeoutSeconds;
  const systemNames = [...textList(input, "MessageSystemAttributeNames"), ...textList(input, "AttributeNames")];
  const attributeNames = textList(input, "MessageAttributeNames");

  const attempt = parseAttempt(queue, input);

  const untilMs = context.now() + wait * 1000;
  const receive = () => receiveNow(context, queue, { max, seconds: visibility, attempt });
  const receiveInTurn = attempt === undefined ? receive : () => queue.attemptLocks.run(attempt, receive);
  let messages = await receiveInTurn();
  while (messages.length === 0 && context.now() < untilMs && !gone.aborted) {
    await queue.changed(untilMs, gone);
    if (!gone.aborted) messages = await receiveInTurn();
  }
  if (messages.length === 0) return { output: {} };
  // With an attempt id the client will ask for the same messages again: they stay in flight for it.
  const unsent = async () => (attempt === undefined ? giveBack(context, queue, messages) : undefined);
  try {
    const Messages = await Promise.all(messages.map((message) => render(message, systemNames, attributeNames)));
    return { output: { Messages }, unsent };
  } catch (error) {
    await unsent();
    throw error;
  }
};

type Receive = { max: number; seconds: number; attempt: string | undefined };

/** Takes what is available; messages that were received too often go to the dead-letter queue instead. */
async function receiveNow(context: SqsContext, queue: Queue, { max, seconds, attempt }: Receive): Promise<Message[]> {
  await removeExpired(context, queue);
  const again = attempt === undefined ? undefined : messagesOfAttempt(context, queue, attempt);
  if (attempt !== undefined && again) return repeatReceive(context, queue, attempt, again, seconds);
  for (;;) {
    if (queue.counts.inFlight >= MOST_IN_FLIGHT) throw overLimit();
    const claimed = queue.claim(max);
    if (claimed.length === 0) return [];
    const dead = claimed.filter((message) => isDead(context, queue, message));
    const received = claimed.filter((message) => !dead.includes(message));
    const receives = received.map((message) => receiveRecord(queue, message, seconds, context.now()));
    const records = [
      ...dead.map((message) => moveRecord(context, queue, message)),
      ...receives,
      ...(attempt === undefined || receives.length === 0 ? [] : [newAttemptRecord(context, queue, attempt, receives)]),
    ];
    try {
      await context.commit({ records });
    } finally {
      queue.settle(claimed);
    }
    // A copy: the message may be received again before this one is rendered.
    const taken = received.map((message) => ({ ...message }));
    if (taken.length > 0) return taken;
  }
}

function receiveRecord(queue: Queue, message: Message, seconds: number, now: number) {
  return {
    type: "sqs.visibility",
    queue: queue.name,
    id: message.id,
    visibleAt: seconds === 0 ? 0 : now + seconds * 1000,
    receives: message.visibility.receives + 1,
    firstReceivedAt: message.visibility.firstReceivedAt ?? now,
    receipt: newReceipt(),
  } as const;
}

function isDead({ queues }: SqsContext, { settings }: Queue, message: Message): boolean {
  const { redrive } = settings;
  return (
    redrive !== undefined && message.visibility.receives >= redrive.maxReceiveCount && queues.byName.has(redrive.target)
  );
}

/** In a FIFO dead-letter queue the retention period starts anew, in a standard one it goes on (developer guide, DLQ). */
function moveRecord({ queues, region, now }: SqsContext, queue: Queue, { id, sentAt }: Message): SqsRecord {
  return {
    type: "sqs.moved",
    queue: queue.name,
    id,
    to: queue.settings.redrive?.target ?? "",
    sequence: queues.nextSequence(),
    sentAt: queue.fifo ? now() : sentAt,
    source: queueArn(region, queue.name),
  };
}

/** The client never got them: they are available at once, and this receive does not count. */
async function giveBack({ commit }: SqsContext, queue: Queue, taken: readonly Message[]): Promise<void> {
  const stillTaken = taken.filter(({ id, visibility }) => {
    return queue.messages.get(id)?.visibility.receipt === visibility.receipt;
  });
  const records = stillTaken.map(({ id, visibility: { receives, firstReceivedAt } }): SqsRecord => {
    const before: Visibility = { visibleAt: 0, receives: receives - 1 };
    const first = receives > 1 && firstReceivedAt !== undefined ? { firstReceivedAt } : {};
    return { type: "sqs.visibility", queue: queue.name, id, ...before, ...first };
  });
  if (records.length > 0) await commit({ records });
}

async function render(message: Message, systemNames: readonly string[], attributeNames: readonly string[]) {
  const payload = await readPayload(message.payload);
  const body = payload.subarray(0, message.bodyBytes);
  const json = payload.toString("utf8", message.bodyBytes);
  const all = json === "" ? {} : (JSON.parse(json) as MessageAttributes);
  const chosen = chooseAttributes(all, attributeNames);
  const system = Object.entries(systemAttributes(message)).filter(
    ([name, value]) => value !== undefined && (systemNames.includes("All") || systemNames.includes(name)),
  );
  return {
    MessageId: message.id,
    ReceiptHandle: receiptHandle(message),
    MD5OfBody: createHash("md5").update(body).digest("hex"),
    Body: body.toString("utf8"),
    ...(system.length > 0 && { Attributes: Object.fromEntries(system) }),
    ...(Object.keys(chosen).length > 0 && {
      MessageAttributes: chosen,
      MD5OfMessageAttributes: attributesMd5(chosen),
    }),
  };
}

function systemAttributes(message: Message): Record<string, string | undefined> {
  const fifo = message.group !== undefined;
  return {
    SenderId: SENDER,
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.visibility.receives),
    ApproximateFirstReceiveTimestamp: String(message.visibility.firstReceivedAt),
    DeadLetterQueueSourceArn: message.source,
    MessageGroupId: message.group,
    MessageDeduplicationId: message.dedupId,
    SequenceNumber: fifo ? sequenceNumber(message.sequence) : undefined,
  };
}
