import { batchEntries, runBatch } from "./batch.ts";
import type { Action, SqsContext } from "./context.ts";
import { missingParameter } from "./errors.ts";
import { optionalInteger, requiredText } from "./input.ts";
import type { Input } from "./input.ts";
import { queueOf } from "./queue-names.ts";
import type { Queue } from "./queue.ts";
import { messageInFlight } from "./receipt.ts";
import type { SqsRecord } from "./records.ts";

/** API reference, ChangeMessageVisibility: 12 hours. */
export const LONGEST_VISIBILITY_SECONDS = 43_200;

export const changeMessageVisibility: Action = async (context, { input }) => {
  await changeOne(context, queueOf(context.queues, input), input);
  return { output: {} };
};

export const changeMessageVisibilityBatch: Action = async (context, { input }) => {
  const queue = queueOf(context.queues, input);
  return { output: await runBatch(batchEntries(input), (entry) => changeOne(context, queue, entry)) };
};

/** Counts from now; 0 gives the message back at once. */
async function changeOne({ commit, now }: SqsContext, queue: Queue, input: Input): Promise<object> {
  const seconds = optionalInteger(input, "VisibilityTimeout", 0, LONGEST_VISIBILITY_SECONDS);
  if (seconds === undefined) throw missingParameter("VisibilityTimeout");
  const message = messageInFlight(queue, requiredText(input, "ReceiptHandle"));
  const { id, visibility } = message;
  const { receives, firstReceivedAt, receipt } = visibility;
  const record: SqsRecord = {
    type: "sqs.visibility",
    queue: queue.name,
    id,
    visibleAt: seconds === 0 ? 0 : now() + seconds * 1000,
    receives,
    ...(firstReceivedAt !== undefined && { firstReceivedAt }),
    ...(receipt !== undefined && { receipt }),
  };
  await commit({ records: [record] });
  return {};
}
