import type { SqsContext } from "./context.ts";
import type { Queue } from "./queue.ts";

/** Removes the messages whose retention period is over. Throws `StorageError`. */
export async function removeExpired({ commit }: SqsContext, queue: Queue): Promise<void> {
  const ids = queue.expired().map(({ id }) => id);
  if (ids.length > 0) await commit({ records: [{ type: "sqs.deleted", queue: queue.name, ids }] });
}

/** To be done from time to time: frees what has expired in queues that nobody uses. Throws `StorageError`. */
export async function sweepQueues(context: SqsContext): Promise<void> {
  for (const queue of context.queues.byName.values()) {
    queue.forgetOld();
    await removeExpired(context, queue);
  }
}
