import type { SqsContext } from "./context.ts";
import type { Queue } from "./queue.ts";

/** Ids in one record, and so what one write takes at most: a million messages may expire together. */
const AT_ONCE = 10_000;

/** Removes the messages whose retention period is over. Throws `StorageError`. */
export async function removeExpired({ commit }: SqsContext, queue: Queue): Promise<void> {
  const ids = queue.expired().map(({ id }) => id);
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    await commit({ records: [{ type: "sqs.deleted", queue: queue.name, ids: ids.slice(start, start + AT_ONCE) }] });
  }
}

/** To be done from time to time: frees what has expired in queues that nobody uses. Throws `StorageError`. */
export async function sweepQueues(context: SqsContext): Promise<void> {
  for (const queue of context.queues.byName.values()) {
    queue.forgetOld();
    await removeExpired(context, queue);
  }
}
