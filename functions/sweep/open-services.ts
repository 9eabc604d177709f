import type { SweepConfig } from "../../shared/config.ts";
import { openDatabase } from "../../shared/db/pool.ts";
import { openDeliveryQueue } from "../../shared/delivery-queue.ts";
import { createLog } from "../../shared/log.ts";
import { openCommandQueues } from "../../shared/queue.ts";
import { openScheduler } from "../../shared/scheduler.ts";
import { openStorage } from "../../shared/storage.ts";
import type { SweepServices } from "./sweep-all.ts";

/** What the sweep needs, and its end. */
export function openSweepServices(config: SweepConfig): { services: SweepServices; close: () => Promise<void> } {
  const database = openDatabase(config.database);
  const queue = openDeliveryQueue(config.deliveryQueueUrl);
  const queues = openCommandQueues(config.commandQueueUrls);
  const scheduler = openScheduler(config.scheduler);
  const media = openStorage(config.mediaBucket);
  const close = async () => {
    queue.close();
    queues.close();
    scheduler.close();
    media.close();
    await database.close();
  };
  const log = createLog("sweep", config.logLevel);
  return { services: { config, database, queue, queues, scheduler, media, log }, close };
}
