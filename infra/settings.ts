import { database } from "./database.js";
import { commandQueueUrls, deliveries } from "./queues.js";
import { scheduleGroup, schedulerRole, schedulesDead } from "./scheduler.js";
import { mediaBucket, stateBucket } from "./storage.js";

/** Settings by the names of shared/config.ts. Those that are secret are in secrets.ts. */
const logging = { LOG_LEVEL: "info" };

export const databaseSettings = {
  ...logging,
  DB_HOST: database.host,
  DB_PORT: database.port.apply(String),
  DB_USER: database.username,
  DB_NAME: database.database,
  DB_TLS: $dev ? "off" : "amazon-rds",
};

/** Of each process that has messages sent later. */
export const schedulerSettings = {
  SCHEDULER_GROUP: scheduleGroup.name,
  SCHEDULER_ROLE_ARN: schedulerRole.arn,
  SCHEDULER_DEAD_LETTER_ARN: schedulesDead.arn,
};

export const apiSettings = {
  ...databaseSettings,
  ...schedulerSettings,
  COMMAND_QUEUE_URLS: commandQueueUrls,
  DELIVERY_QUEUE_URL: deliveries.url,
  MEDIA_BUCKET: mediaBucket.name,
  // A Lambda function takes 6 MB with everything around it, and files come to it in base64.
  MEDIA_REQUEST_MAX_BYTES: String(6_000_000),
};

export const deliverSettings = {
  ...databaseSettings,
  COMMAND_QUEUE_URLS: commandQueueUrls,
  DELIVERY_QUEUE_URL: deliveries.url,
  MEDIA_BUCKET: mediaBucket.name,
};

export const sweepSettings = {
  ...databaseSettings,
  ...schedulerSettings,
  COMMAND_QUEUE_URLS: commandQueueUrls,
  DELIVERY_QUEUE_URL: deliveries.url,
  MEDIA_BUCKET: mediaBucket.name,
};

export const hostSettings = {
  ...databaseSettings,
  COMMAND_QUEUE_URLS: commandQueueUrls,
  DELIVERY_QUEUE_URL: deliveries.url,
  MEDIA_BUCKET: mediaBucket.name,
  STATE_BUCKET: stateBucket.name,
};
