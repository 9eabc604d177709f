import { randomBytes, randomUUID } from "node:crypto";
import { parseInput } from "../sqs/input.ts";
import type { Input } from "../sqs/input.ts";
import { ACCOUNT, queueUrl } from "../sqs/queue-names.ts";
import { scheduleArn } from "./arns.ts";
import type { Schedule } from "./schedules.ts";
import { SEND_MESSAGE_ARN } from "./target.ts";

/** One attempt to invoke the target of a schedule. */
export type Attempt = {
  /** The request to SQS: what SendMessage would get. */
  request: Input;
  executionId: string;
  /** From 1. */
  number: number;
  scheduledAt: number;
};

/** `host`: what the cloud is called in queue URLs. */
export function makeAttempt(schedule: Schedule, input: string | undefined, region: string, host: string): Attempt {
  const { target } = schedule.definition;
  const scheduledAt = schedule.nextAt ?? 0;
  const executionId = randomBytes(8).toString("hex");
  const number = (schedule.retry?.failures ?? 0) + 1;
  const arn = scheduleArn(region, schedule);
  const time = isoSeconds(scheduledAt);
  // User guide, "Adding context attributes".
  const text = input
    ?.replaceAll("<aws.scheduler.schedule-arn>", arn)
    .replaceAll("<aws.scheduler.scheduled-time>", time)
    .replaceAll("<aws.scheduler.execution-id>", executionId)
    .replaceAll("<aws.scheduler.attempt-number>", String(number));
  const attempt = { executionId, number, scheduledAt };
  if (target.arn === SEND_MESSAGE_ARN) return { ...attempt, request: parseInput(Buffer.from(text ?? "")) };
  const MessageBody = text ?? defaultNotification(arn, time, region);
  const MessageGroupId = target.messageGroupId;
  const QueueUrl = queueUrl(host, target.arn.slice(target.arn.lastIndexOf(":") + 1));
  return { ...attempt, request: { QueueUrl, MessageBody, ...(MessageGroupId !== undefined && { MessageGroupId }) } };
}

export function isoSeconds(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** What a target without input gets; the API reference says only that there is one, this is what AWS sends. */
function defaultNotification(arn: string, time: string, region: string): string {
  return JSON.stringify({
    version: "0",
    id: randomUUID(),
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account: ACCOUNT,
    time,
    region,
    resources: [arn],
    detail: "{}",
  });
}
