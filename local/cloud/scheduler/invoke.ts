import { AwsError } from "../aws-error.ts";
import type { Input } from "../sqs/input.ts";
import { queueOf } from "../sqs/queue-names.ts";
import type { Queue } from "../sqs/queue.ts";
import { send } from "../sqs/send.ts";
import type { Transaction } from "../store/journal.ts";
import type { SqsRecord } from "../sqs/records.ts";
import type { SchedulerContext } from "./context.ts";
import { deadLetterRequest } from "./dead-letter.ts";
import type { Exhausted } from "./dead-letter.ts";
import { makeAttempt } from "./message.ts";
import type { Attempt } from "./message.ts";
import { timeAfterInvocation } from "./next-time.ts";
import type { SchedulerRecord } from "./records.ts";
import type { Schedule } from "./schedules.ts";
import { queueOfArn } from "./target.ts";

/** AWS: "exponential backoff", without figures. With these, 185 retries take the 24 hours that they may take. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 480_000;
/** The one error of SQS that AWS tries again, as far as its example of a dead letter tells. */
const WORTH_RETRYING = "QueueDoesNotExist";

/**
 * Invokes the target of a schedule whose time has come. The message and what it means for the schedule (its next time,
 * completion or deletion) are one transaction: after a crash both are there or neither. A refusal is recorded for a
 * later attempt, or ends in the dead-letter queue. Resolves with the refusal, if any, that nobody will hear of. Throws
 * `StorageError`: then nothing has happened.
 */
export async function invoke(
  context: SchedulerContext,
  schedule: Schedule,
  input: string | undefined,
  host: string,
): Promise<AwsError | undefined> {
  const attempt = makeAttempt(schedule, input, context.region, host);
  const done = doneRecord(context, schedule);
  try {
    await sendWith(context, queueOf(context.queues, attempt.request), attempt.request, done);
    return undefined;
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const retry = retryRecord(context, schedule, attempt, error);
    if (typeof retry === "object") {
      await context.commit({ records: [retry] });
      return undefined;
    }
    return giveUp(context, schedule, attempt, error, retry, done);
  }
}

function doneRecord({ now }: SchedulerContext, schedule: Schedule): SchedulerRecord {
  const { group, name, definition } = schedule;
  const next = timeAfterInvocation(schedule, now());
  if (next.nextAt === undefined && definition.afterCompletion === "DELETE")
    return { type: "scheduler.deleted", group, name };
  return { type: "scheduler.advanced", group, name, ...next };
}

/** Also when deduplication makes no message of it. */
async function sendWith(
  { queues, commit, now, region }: SchedulerContext,
  queue: Queue,
  request: Input,
  record: SchedulerRecord,
): Promise<void> {
  let committed = false;
  const commitBoth = (transaction: Transaction<SqsRecord>) => {
    committed = true;
    return commit({ ...transaction, records: [...transaction.records, record] });
  };
  await send({ queues, now, region, commit: commitBoth }, queue, request);
  if (!committed) await commit({ records: [record] });
}

/** The record of the retry, or why there is none. */
function retryRecord(
  { now }: SchedulerContext,
  { group, name, retry, definition }: Schedule,
  { number }: Attempt,
  error: AwsError,
): SchedulerRecord | Exhausted | undefined {
  const { maximumRetries, maximumAgeSeconds } = definition.target;
  if (error.code !== WORTH_RETRYING) return undefined;
  if (number > maximumRetries) return "MaximumRetryAttempts";
  const firstAttemptAt = retry?.firstAttemptAt ?? now();
  const retryAt = now() + Math.min(FIRST_PAUSE_MS * 2 ** (number - 1), LONGEST_PAUSE_MS);
  if (retryAt > firstAttemptAt + maximumAgeSeconds * 1000) return "MaximumEventAgeInSeconds";
  return { type: "scheduler.failed", group, name, retry: { failures: number, firstAttemptAt, retryAt } };
}

async function giveUp(
  context: SchedulerContext,
  schedule: Schedule,
  attempt: Attempt,
  error: AwsError,
  exhausted: Exhausted | undefined,
  done: SchedulerRecord,
): Promise<AwsError | undefined> {
  const queue = queueOfArn(context.queues, schedule.definition.target.deadLetterArn ?? "");
  try {
    if (queue) {
      await sendWith(context, queue, deadLetterRequest(context.region, schedule, attempt, error, exhausted), done);
      return undefined;
    }
  } catch (refusal) {
    if (!(refusal instanceof AwsError)) throw refusal;
  }
  await context.commit({ records: [done] });
  return error;
}
