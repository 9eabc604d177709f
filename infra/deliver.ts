import { FUNCTION_POOL_SIZE, functionDefaults } from "./functions.js";
import { migrated } from "./migrate.js";
import { sendCommands, storeMedia, takeDeliveries, wakeDeliverers } from "./permissions.js";
import { deliveries } from "./queues.js";
import { databaseSecrets, webhookSecrets } from "./secrets.js";
import { deliverSettings } from "./settings.js";
import { isProduction } from "./stage.js";

/** At once, and so the most connections: each delivers to up to ten webhooks, several events each. */
const MOST_AT_ONCE = isProduction ? 8 : 3;

/** Posts events to webhooks and asks chatbots; woken by the queue of deliveries. */
export const deliver = new sst.aws.Function(
  "Deliver",
  {
    ...functionDefaults,
    handler: "functions/deliver.handler",
    memory: "512 MB",
    // A round begins within 20 s and lasts as long as the slowest receiver, and 10 s for the files of a chatbot; below the queue's visibility time-out.
    timeout: "50 seconds",
    link: [databaseSecrets, webhookSecrets],
    permissions: [takeDeliveries, wakeDeliverers, sendCommands, storeMedia],
    environment: { ...deliverSettings, DB_POOL_SIZE: FUNCTION_POOL_SIZE, NODE_OPTIONS: "--enable-source-maps" },
    concurrency: { reserved: MOST_AT_ONCE },
  },
  { dependsOn: migrated },
);

new aws.lambda.EventSourceMapping("DeliverSource", {
  eventSourceArn: deliveries.arn,
  functionName: deliver.name,
  batchSize: 10,
  // Of ten webhooks the one that failed comes again, not all.
  functionResponseTypes: ["ReportBatchItemFailures"],
  // The queue keeps what is more; without this it would be thrown at a function that is throttled, and count as received.
  scalingConfig: { maximumConcurrency: MOST_AT_ONCE },
});
