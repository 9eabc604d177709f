import { SHARDS } from "./stage.js";

const DAYS_14_SECONDS = 14 * 86_400;
/** A host ends what it cannot run long before; this is for messages that no host understands. */
const MAX_RECEIVES = 100;

/** @param fifo must be that of the queue that it serves: SQS refuses another kind */
export function deadLetterQueue(name: string, fifo: boolean) {
  return new sst.aws.Queue(name, {
    fifo,
    transform: {
      queue: (queue) => {
        queue.messageRetentionSeconds = DAYS_14_SECONDS;
        queue.sqsManagedSseEnabled = true;
        return undefined;
      },
    },
  });
}

export const commandsDead = deadLetterQueue("CommandsDead", true);

/** One FIFO queue per shard, the device as message group; the index is the shard. */
export const commandQueues = Array.from(
  { length: SHARDS },
  (_, shard) =>
    new sst.aws.Queue(`Commands${shard}`, {
      // A schedule's target cannot name a deduplication id: it is taken from the content.
      fifo: { contentBasedDeduplication: true },
      // Only where a receive does not say: the host asks for its own (shared/queue.ts).
      visibilityTimeout: "30 seconds",
      dlq: { queue: commandsDead.arn, retry: MAX_RECEIVES },
      transform: {
        queue: (queue) => {
          queue.deduplicationScope = "messageGroup";
          queue.fifoThroughputLimit = "perMessageGroupId";
          queue.sqsManagedSseEnabled = true;
          return undefined;
        },
      },
    }),
);

export const deliveriesDead = deadLetterQueue("DeliveriesDead", false);

/** Wakes whoever delivers events. As long as a message is hidden, its function runs; shared/delivery-queue.ts says so too. */
export const deliveries = new sst.aws.Queue("Deliveries", {
  visibilityTimeout: "60 seconds",
  dlq: { queue: deliveriesDead.arn, retry: MAX_RECEIVES },
  transform: {
    queue: (queue) => {
      queue.sqsManagedSseEnabled = true;
      return undefined;
    },
  },
});

export const commandQueueUrls = $util.all(commandQueues.map((queue) => queue.url)).apply((urls) => urls.join(","));
export const commandQueueArns = commandQueues.map((queue) => queue.arn);
