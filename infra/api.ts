import { FUNCTION_POOL_SIZE, functionDefaults } from "./functions.js";
import { migrated } from "./migrate.js";
import { manageSchedules, sendCommands, useMedia, wakeDeliverers } from "./permissions.js";
import { router } from "./router.js";
import { apiSecrets, databaseSecrets, webhookSecrets } from "./secrets.js";
import { apiSettings } from "./settings.js";
import { isProduction } from "./stage.js";

/** Answers to commands are waited for: below the function's time-out, which is below CloudFront's. */
const SYNC_WAIT_MS = 25_000;

export const api = new sst.aws.Function(
  "Api",
  {
    ...functionDefaults,
    handler: "functions/api.handler",
    memory: "1024 MB",
    timeout: "40 seconds",
    // No CORS by AWS: the API has its own setting for it.
    url: { cors: false, router: { instance: router, path: "/", readTimeout: "45 seconds" } },
    link: [databaseSecrets, apiSecrets, webhookSecrets],
    permissions: [sendCommands, wakeDeliverers, ...useMedia, ...manageSchedules],
    environment: {
      ...apiSettings,
      DB_POOL_SIZE: FUNCTION_POOL_SIZE,
      SYNC_WAIT_MS: String(SYNC_WAIT_MS),
      // CloudFront.
      TRUSTED_PROXIES: "1",
      NODE_OPTIONS: "--enable-source-maps",
    },
    // What the database's connections allow; more is refused by Lambda with 429.
    concurrency: { reserved: isProduction ? 30 : 10 },
  },
  { dependsOn: migrated },
);
