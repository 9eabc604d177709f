import type { AwsError } from "../aws-error.ts";
import type { Input } from "../sqs/input.ts";
import { scheduleArn } from "./arns.ts";
import { isoSeconds } from "./message.ts";
import type { Attempt } from "./message.ts";
import type { Schedule } from "./schedules.ts";
import { SEND_MESSAGE_ARN } from "./target.ts";

/** What ended the retries; absent for an error that is not worth one. */
export type Exhausted = "MaximumRetryAttempts" | "MaximumEventAgeInSeconds";

/** The message that tells of a failed invocation (user guide, "Configuring a dead-letter queue"). */
export function deadLetterRequest(
  region: string,
  schedule: Schedule,
  { request, executionId, number, scheduledAt }: Attempt,
  error: AwsError,
  exhausted: Exhausted | undefined,
): Input {
  const attributes: Record<string, string> = {
    ERROR_CODE: error.legacyCode,
    ERROR_MESSAGE: error.message,
    EXECUTION_ID: executionId,
    IS_PAYLOAD_TRUNCATED: "false",
    RETRY_ATTEMPTS: String(number - 1),
    SCHEDULED_TIME: isoSeconds(scheduledAt),
    SCHEDULE_ARN: scheduleArn(region, schedule),
    TARGET_ARN: SEND_MESSAGE_ARN,
    ...(exhausted && { EXHAUSTED_RETRY_CONDITION: exhausted }),
  };
  const MessageAttributes = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, { DataType: "String", StringValue: value }]),
  );
  return { MessageBody: JSON.stringify(request), MessageAttributes };
}
