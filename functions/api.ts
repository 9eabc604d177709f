/** The API as a Lambda function behind an HTTP API. Connections are kept from one invocation to the next. */
import { handle } from "hono/aws-lambda";
import { loadApiConfig } from "../shared/config.ts";
import { openDatabase } from "../shared/db/pool.ts";
import { createLog } from "../shared/log.ts";
import { openCommandQueues } from "../shared/queue.ts";
import { openScheduler } from "../shared/scheduler.ts";
import { openStorage } from "../shared/storage.ts";
import { createApp } from "./app.ts";

const config = loadApiConfig();

export const handler = handle(
  createApp({
    config,
    database: openDatabase(config.database),
    queues: openCommandQueues(config.commandQueueUrls),
    scheduler: openScheduler(config.scheduler),
    media: openStorage(config.mediaBucket),
    log: createLog("api", config.logLevel),
  }),
);
