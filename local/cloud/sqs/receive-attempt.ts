import type { SqsContext } from "./context.ts";
import { invalidParameter } from "./errors.ts";
import { FIFO_ID } from "./fifo-id.ts";
import { optionalText } from "./input.ts";
import type { Input } from "./input.ts";
import type { Message } from "./message.ts";
import type { Queue } from "./queue.ts";
import type { ReceiveAttempt, SqsRecord } from "./records.ts";

/** API reference, ReceiveMessage: "You can use ReceiveRequestAttemptId only for 5 minutes after a ReceiveMessage action". */
const REPEATABLE_MS = 5 * 60_000;

/** The attempt id of a request, if it has one. Throws `InvalidParameterValue`. */
export function parseAttempt(queue: Queue, input: Input): string | undefined {
  const attempt = optionalText(input, "ReceiveRequestAttemptId");
  if (attempt === undefined) return undefined;
  const refuse = (reason: string) =>
    invalidParameter(`Value ${attempt} for parameter ReceiveRequestAttemptId is invalid. Reason: ${reason}`);
  if (!queue.fifo) throw refuse("The request include parameter that is not valid for this queue type.");
  if (FIFO_ID.test(attempt)) return attempt;
  throw refuse("It can only include alphanumeric and punctuation characters. 1 to 128 in length.");
}

/**
 * What an earlier receive with this id got, if all of it is as it was then: "if none of the messages have been modified
 * (deleted or had their visibility changes)", and "during a visibility timeout" (API reference, ReceiveMessage).
 */
export function messagesOfAttempt({ now }: SqsContext, queue: Queue, attempt: string): Message[] | undefined {
  const before = queue.attempts.get(attempt);
  if (!before || before.until <= now()) return undefined;
  queue.reveal();
  const messages = before.messages.flatMap(({ id, receipt, visibleAt }) => {
    const message = queue.messages.get(id);
    const current = message?.visibility;
    const same = message?.place === "inFlight" && current?.receipt === receipt && current.visibleAt === visibleAt;
    return same ? [message] : [];
  });
  return messages.length === before.messages.length ? messages : undefined;
}

/** Gives the same messages with the same handles; their visibility counts from now. Throws `StorageError`. */
export async function repeatReceive(
  context: SqsContext,
  queue: Queue,
  attempt: string,
  messages: readonly Message[],
  seconds: number,
): Promise<Message[]> {
  const visibleAt = seconds === 0 ? 0 : context.now() + seconds * 1000;
  const records = messages.map(({ id, visibility }) => {
    const { receives, firstReceivedAt, receipt = "" } = visibility;
    const first = firstReceivedAt === undefined ? {} : { firstReceivedAt };
    return { type: "sqs.visibility", queue: queue.name, id, visibleAt, receives, ...first, receipt } as const;
  });
  const until = queue.attempts.get(attempt)?.until ?? 0;
  await context.commit({ records: [...records, attemptRecord(queue, attempt, records, until)] });
  return messages.map((message) => ({ ...message }));
}

/** Remembers what a first receive got. */
export function newAttemptRecord(
  { now }: SqsContext,
  queue: Queue,
  attempt: string,
  received: ReceiveAttempt["messages"],
): SqsRecord {
  return attemptRecord(queue, attempt, received, now() + REPEATABLE_MS);
}

function attemptRecord(queue: Queue, attempt: string, received: ReceiveAttempt["messages"], until: number): SqsRecord {
  const messages = received.map(({ id, receipt, visibleAt }) => ({ id, receipt, visibleAt }));
  return { type: "sqs.attempt", queue: queue.name, attempt, messages, until };
}
