import { FUNCTION_POOL_SIZE, functionDefaults } from "./functions.js";
import { migrated } from "./migrate.js";
import { manageSchedules, sendCommands, useMedia, wakeDeliverers } from "./permissions.js";
import { databaseSecrets } from "./secrets.js";
import { sweepSettings } from "./settings.js";

/** Finds what was lost between two steps and ends what has expired. */
export const sweep = new sst.aws.Function(
  "Sweep",
  {
    ...functionDefaults,
    handler: "functions/sweep.handler",
    memory: "512 MB",
    timeout: "55 seconds",
    link: [databaseSecrets],
    permissions: [sendCommands, wakeDeliverers, ...useMedia, ...manageSchedules],
    environment: { ...sweepSettings, DB_POOL_SIZE: FUNCTION_POOL_SIZE, NODE_OPTIONS: "--enable-source-maps" },
    // Never two at once: what the second would find is the first one's work.
    concurrency: { reserved: 1 },
  },
  { dependsOn: migrated },
);

const timerRole = new aws.iam.Role("SweepTimerRole", {
  assumeRolePolicy: aws.iam.getPolicyDocumentOutput({
    statements: [
      {
        actions: ["sts:AssumeRole"],
        principals: [{ type: "Service", identifiers: ["scheduler.amazonaws.com"] }],
        conditions: [
          { test: "StringEquals", variable: "aws:SourceAccount", values: [aws.getCallerIdentityOutput().accountId] },
        ],
      },
    ],
  }).json,
});

new aws.iam.RolePolicy("SweepTimerPolicy", {
  role: timerRole.id,
  policy: aws.iam.getPolicyDocumentOutput({
    statements: [{ actions: ["lambda:InvokeFunction"], resources: [sweep.arn] }],
  }).json,
});

new aws.scheduler.Schedule("SweepTimer", {
  scheduleExpression: "rate(1 minute)",
  flexibleTimeWindow: { mode: "OFF" },
  target: {
    arn: sweep.arn,
    roleArn: timerRole.arn,
    // The next minute brings all again.
    retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
  },
});
