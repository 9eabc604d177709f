import { SHARDS } from "./stage.js";

const DAYS_14_SECONDS = 14 * 86_400;
/** A host ends what it cannot run long before; this is for messages that no host understands. */
const MAX_RECEIVES = 100;

const deadLetters = new sst.aws.Queue("CommandsDead", {
  // The dead-letter queue of a FIFO queue must be one itself.
  fifo: true,
  transform: {
    queue: (queue) => {
      queue.messageRetentionSeconds = DAYS_14_SECONDS;
      return undefined;
    },
  },
});

/** One FIFO queue per shard, the device as message group; the index is the shard. */
export const commandQueues = Array.from(
  { length: SHARDS },
  (_, shard) =>
    new sst.aws.Queue(`Commands${shard}`, {
      // A schedule's target cannot name a deduplication id: it is taken from the content.
      fifo: { contentBasedDeduplication: true },
      // Only where a receive does not say: the host asks for its own (shared/queue.ts).
      visibilityTimeout: "30 seconds",
      dlq: { queue: deadLetters.arn, retry: MAX_RECEIVES },
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
