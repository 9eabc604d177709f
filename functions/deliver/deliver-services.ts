import type { Database } from "../../shared/db/pool.ts";
import type { DeliveryQueue } from "../../shared/delivery-queue.ts";
import type { GuardedFetch } from "../../shared/guarded-fetch.ts";
import type { Log } from "../../shared/log.ts";
import type { MediaFiles } from "../../shared/media-files.ts";
import type { CommandQueues } from "../../shared/queue.ts";

export type DeliverServices = {
  database: Database;
  queue: Pick<DeliveryQueue, "wake">;
  /** Where a chatbot's replies go. */
  queues: CommandQueues;
  fetcher: GuardedFetch;
  /** Where the files of a chatbot's replies go, and what they may be. */
  files: MediaFiles;
  mediaTypes: readonly string[];
  /** Opens the secrets and headers of webhooks. */
  key: Buffer;
  /** The installation's own, for numbers that have none: the operator gave it, so it may be inside. */
  chatbot: { url: string; secret: string | undefined; fetcher: GuardedFetch } | undefined;
  /** Of one chat. */
  repliesPerMinute: number;
  log: Log;
};
