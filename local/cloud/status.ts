import type { Buckets } from "./s3/buckets.ts";
import type { Schedules } from "./scheduler/schedules.ts";
import type { Queue } from "./sqs/queue.ts";
import type { Queues } from "./sqs/queues.ts";

/**
 * What `GET /_status` answers. Times in Unix milliseconds: `oldestSentAt` is null for an empty queue, `nextDueAt` when
 * nothing is planned.
 */
export type CloudStatus = {
  queues: { name: string; depth: number; delayed: number; inFlight: number; oldestSentAt: number | null }[];
  buckets: { name: string; objects: number; bytes: number }[];
  schedules: { count: number; nextDueAt: number | null };
};

export function cloudStatus(queues: Queues, buckets: Buckets, schedules: Schedules): CloudStatus {
  return {
    queues: [...queues.byName.values()].map(queueStatus),
    buckets: [...buckets.byName.values()].map(({ name, objects, bytes }) => ({ name, objects: objects.size, bytes })),
    schedules: { count: schedules.size, nextDueAt: schedules.nextDueAt ?? null },
  };
}

function queueStatus(queue: Queue): CloudStatus["queues"][number] {
  queue.reveal();
  const { available, delayed, inFlight } = queue.counts;
  let oldestSentAt: number | null = null;
  for (const { sentAt } of queue.messages.values()) oldestSentAt = Math.min(oldestSentAt ?? sentAt, sentAt);
  return { name: queue.name, depth: available, delayed, inFlight, oldestSentAt };
}
