import { commandQueueArns, deadLetterQueue } from "./queues.js";
import { prefix } from "./stage.js";

/** Scheduled messages: one schedule each, made by the API, fired into the queue of the device's shard. */
export const scheduleGroup = new aws.scheduler.ScheduleGroup("ScheduledMessages", { name: `${prefix}-messages` });

/** A schedule's dead letters are plain messages, also where its target is a FIFO queue. */
export const schedulesDead = deadLetterQueue("SchedulesDead", false);

/** Given to the scheduler with each schedule; nobody but this group's schedules can wear it. */
export const schedulerRole = new aws.iam.Role("SchedulerRole", {
  assumeRolePolicy: aws.iam.getPolicyDocumentOutput({
    statements: [
      {
        actions: ["sts:AssumeRole"],
        principals: [{ type: "Service", identifiers: ["scheduler.amazonaws.com"] }],
        conditions: [
          { test: "StringEquals", variable: "aws:SourceAccount", values: [aws.getCallerIdentityOutput().accountId] },
          { test: "ArnEquals", variable: "aws:SourceArn", values: [scheduleGroup.arn] },
        ],
      },
    ],
  }).json,
});

new aws.iam.RolePolicy("SchedulerRolePolicy", {
  role: schedulerRole.id,
  policy: aws.iam.getPolicyDocumentOutput({
    statements: [{ actions: ["sqs:SendMessage"], resources: [...commandQueueArns, schedulesDead.arn] }],
  }).json,
});
