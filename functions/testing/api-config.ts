import { loadApiConfig } from "../../shared/config.ts";

/** Settings of an API that only tells what its routes are; nothing answers at these addresses. */
export const apiConfig = loadApiConfig({
  DATABASE_URL: "mysql://localhost/x",
  COMMAND_QUEUE_URLS: "http://localhost/q",
  SCHEDULER_GROUP: "messages",
  SCHEDULER_ROLE_ARN: "arn:aws:iam::000000000000:role/scheduler",
  SCHEDULER_DEAD_LETTER_ARN: "arn:aws:sqs:us-east-1:000000000000:schedules-dead",
  DELIVERY_QUEUE_URL: "http://localhost/d",
  WEBHOOK_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString("base64"),
  MEDIA_BUCKET: "media",
  SESSION_SECRET: "0123456789abcdef0123456789abcdef",
});
