import { batchEntries, runBatch } from "./batch.ts";
import type { Action, SqsContext } from "./context.ts";
import { requiredText } from "./input.ts";
import type { Input } from "./input.ts";
import { queueOf } from "./queue-names.ts";
import type { Queue } from "./queue.ts";
import { messageToDelete } from "./receipt.ts";

export const deleteMessage: Action = async (context, { input }) => {
  await deleteOne(context, queueOf(context.queues, input), input);
  return { output: {} };
};

export const deleteMessageBatch: Action = async (context, { input }) => {
  const queue = queueOf(context.queues, input);
  return { output: await runBatch(batchEntries(input), (entry) => deleteOne(context, queue, entry)) };
};

async function deleteOne({ commit }: SqsContext, queue: Queue, input: Input): Promise<object> {
  const message = messageToDelete(queue, requiredText(input, "ReceiptHandle"));
  if (message) await commit({ records: [{ type: "sqs.deleted", queue: queue.name, ids: [message.id] }] });
  return {};
}
