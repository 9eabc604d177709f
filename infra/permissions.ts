import { commandQueueArns, deliveries } from "./queues.js";
import { scheduleGroup, schedulerRole } from "./scheduler.js";
import { mediaBucket, stateBucket } from "./storage.js";

/** What each process may do, action by action. A link to a queue or a bucket would give it all of them. */
export const sendCommands = { actions: ["sqs:SendMessage", "sqs:GetQueueAttributes"], resources: commandQueueArns };

export const takeCommands = {
  actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"],
  resources: commandQueueArns,
};

export const wakeDeliverers = {
  actions: ["sqs:SendMessage", "sqs:GetQueueAttributes"],
  resources: [deliveries.arn],
};

export const takeDeliveries = {
  actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
  resources: [deliveries.arn],
};

const objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"];

/** Who may not list a bucket is told 403, not 404, of what is not in it. */
export const useMedia = [
  { actions: objects, resources: [$interpolate`${mediaBucket.arn}/*`] },
  { actions: ["s3:ListBucket"], resources: [mediaBucket.arn] },
];

export const storeMedia = { actions: ["s3:PutObject"], resources: [$interpolate`${mediaBucket.arn}/media/*`] };

export const keepState = [
  { actions: objects, resources: [$interpolate`${stateBucket.arn}/*`] },
  { actions: ["s3:ListBucket"], resources: [stateBucket.arn] },
];

export const manageSchedules = [
  {
    actions: [
      "scheduler:CreateSchedule",
      "scheduler:UpdateSchedule",
      "scheduler:GetSchedule",
      "scheduler:DeleteSchedule",
    ],
    // arn:aws:scheduler:<region>:<account>:schedule-group/<group>, and its schedules at schedule/<group>/*
    resources: [scheduleGroup.arn.apply((arn) => `${arn.replace(":schedule-group/", ":schedule/")}/*`)],
  },
  {
    actions: ["iam:PassRole"],
    resources: [schedulerRole.arn],
    conditions: [{ test: "StringEquals", variable: "iam:PassedToService", values: ["scheduler.amazonaws.com"] }],
  },
];
