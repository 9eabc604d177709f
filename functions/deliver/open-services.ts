import type { DeliverConfig } from "../../shared/config.ts";
import { openDatabase } from "../../shared/db/pool.ts";
import { openDeliveryQueue } from "../../shared/delivery-queue.ts";
import { openGuardedFetch } from "../../shared/guarded-fetch.ts";
import { createLog } from "../../shared/log.ts";
import { openMediaFiles } from "../../shared/media-files.ts";
import { openCommandQueues } from "../../shared/queue.ts";
import type { DeliverServices } from "./deliver-services.ts";

/** A process that was frozen holds no rows of webhooks longer than this: events are written beside them. */
const ABANDONED_AFTER_SECONDS = 20;

/** What whoever delivers needs, and its end. */
export function openDeliverServices(config: DeliverConfig) {
  const database = openDatabase(config.database, ABANDONED_AFTER_SECONDS);
  const queue = openDeliveryQueue(config.deliveryQueueUrl);
  const queues = openCommandQueues(config.commandQueueUrls);
  const files = openMediaFiles(config.mediaBucket);
  const fetcher = openGuardedFetch(config.allowedPrivateHosts);
  // Of its own, so that no URL of a user gets to where the operator's chatbot is.
  const ownFetcher = config.chatbot && openGuardedFetch([config.chatbot.host]);
  const services: DeliverServices = {
    database,
    queue,
    queues,
    fetcher,
    files,
    mediaTypes: config.mediaTypes,
    key: config.webhookKey,
    chatbot: config.chatbot && ownFetcher && { ...config.chatbot, fetcher: ownFetcher },
    repliesPerMinute: config.repliesPerMinute,
    log: createLog("deliver", config.logLevel),
  };
  const close = async () => {
    fetcher.close();
    ownFetcher?.close();
    queue.close();
    queues.close();
    files.close();
    await database.close();
  };
  return { services, queue, close };
}
