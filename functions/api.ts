/** The API as a Lambda function behind an HTTP API. Connections are kept from one invocation to the next. */
import { handle } from "hono/aws-lambda";
import { loadApiConfig } from "../shared/config.ts";
import { openDatabase } from "../shared/db/pool.ts";
import { openDeliveryQueue } from "../shared/delivery-queue.ts";
import { lazyGuardedFetch } from "../shared/lazy-guarded-fetch.ts";
import { createLog } from "../shared/log.ts";
import { openMediaFiles } from "../shared/media-files.ts";
import { openCommandQueues } from "../shared/queue.ts";
import { openScheduler } from "../shared/scheduler.ts";
import { openStorage } from "../shared/storage.ts";
import { wakeDeliverers } from "../shared/wake-deliverers.ts";
import { createApp } from "./app.ts";

const config = loadApiConfig();
const log = createLog("api", config.logLevel);
const database = openDatabase(config.database);
const deliveries = openDeliveryQueue(config.deliveryQueueUrl);
database.onCommitted = wakeDeliverers(deliveries, log);

export const handler = handle(
  createApp({
    config,
    database,
    queues: openCommandQueues(config.commandQueueUrls),
    scheduler: openScheduler(config.scheduler),
    deliveries,
    media: openStorage(config.mediaBucket),
    files: openMediaFiles(config.mediaBucket),
    guardedFetch: lazyGuardedFetch(config.allowedPrivateHosts),
    log,
  }),
);
