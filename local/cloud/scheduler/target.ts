import type { Queue } from "../sqs/queue.ts";
import type { Queues } from "../sqs/queues.ts";
import { optionalObject, optionalText } from "../sqs/input.ts";
import type { Input } from "../sqs/input.ts";
import { checkText, integer, required, text } from "./constraints.ts";
import { validation } from "./errors.ts";
import type { ScheduleDefinition } from "./records.ts";

/** "Universal target": the input is the whole request of the action (user guide, "Using universal targets"). */
export const SEND_MESSAGE_ARN = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";

const QUEUE_ARN = /^arn:aws(?:-[a-z]+)?:sqs:[a-z0-9-]+:\d{12}:([a-zA-Z0-9\-_]+(?:\.fifo)?)$/;
/** The service model. A FIFO queue does not fit: it cannot be a dead-letter queue of a schedule. */
const DEAD_LETTER_ARN = { longest: 1600, pattern: /^arn:aws(-[a-z]+)?:sqs:[a-z0-9-]+:\d{12}:[a-zA-Z0-9\-_]+$/ };
const ROLE_ARN = { longest: 1600, pattern: /^arn:aws(-[a-z]+)?:iam::\d{12}:role\/[\w+=,.@/-]+$/ };
/** API reference, Target: "The maximum size of the Input field is 256 KB". */
const LONGEST_INPUT_BYTES = 256 * 1024;
/** AWS compute blog, "Introducing Amazon EventBridge Scheduler": 24 hours and 185 times unless set. */
const MOST_RETRIES = 185;
const OLDEST_SECONDS = 86_400;
const OTHER_SERVICES = /^(Ecs|EventBridge\w*|Kinesis|SageMakerPipeline)Parameters$/;

type Parsed = { target: ScheduleDefinition["target"]; input: string | undefined };

/** Reads `Target`. Throws `ValidationException`, also for every target that is not SQS. */
export function parseTarget(queues: Queues, given: Input): Parsed {
  const arn = required(text(given, "target.arn", { longest: 1600 }), "target.arn");
  const roleArn = required(text(given, "target.roleArn", ROLE_ARN), "target.roleArn");
  const deadLetter = optionalObject(given, "DeadLetterConfig") ?? {};
  const deadLetterArn = text(deadLetter, "target.deadLetterConfig.arn", DEAD_LETTER_ARN);
  const retry = optionalObject(given, "RetryPolicy") ?? {};
  const group = text(optionalObject(given, "SqsParameters") ?? {}, "target.sqsParameters.messageGroupId", {
    longest: 128,
  });
  const input = optionalText(given, "Input");
  if (input !== undefined) checkText(input, "target.input", { longest: LONGEST_INPUT_BYTES });
  if (input !== undefined && Buffer.byteLength(input) > LONGEST_INPUT_BYTES) {
    throw validation(`The input of the target must not be longer than ${LONGEST_INPUT_BYTES} bytes.`);
  }
  if (Object.keys(given).some((name) => OTHER_SERVICES.test(name) && given[name] !== null)) throw otherService(arn);
  if (arn === SEND_MESSAGE_ARN) checkRequest(input);
  else checkQueue(queues, arn, group);
  const target = {
    arn,
    roleArn,
    ...(group !== undefined && { messageGroupId: group }),
    ...(deadLetterArn !== undefined && { deadLetterArn }),
    maximumAgeSeconds:
      integer(retry, "target.retryPolicy.maximumEventAgeInSeconds", 60, OLDEST_SECONDS) ?? OLDEST_SECONDS,
    maximumRetries: integer(retry, "target.retryPolicy.maximumRetryAttempts", 0, MOST_RETRIES) ?? MOST_RETRIES,
  };
  return { target, input };
}

/** The queue that an ARN names, if it exists. */
export function queueOfArn(queues: Queues, arn: string): Queue | undefined {
  const name = QUEUE_ARN.exec(arn)?.[1];
  return name === undefined ? undefined : queues.byName.get(name);
}

/** The queue itself need not exist yet. */
function checkQueue(queues: Queues, arn: string, messageGroupId: string | undefined): void {
  if (!/^arn:aws(-[a-z]+)?:/.test(arn)) throw validation("Provided Arn is not in correct format.");
  if (!QUEUE_ARN.test(arn)) throw otherService(arn);
  if (arn.endsWith(".fifo") && messageGroupId === undefined) {
    throw validation("SqsParameters.MessageGroupId is required for a FIFO queue.");
  }
  const queue = queueOfArn(queues, arn);
  // API reference, SqsParameters: "the queue must have content-based deduplication enabled".
  if (queue?.fifo && !queue.settings.contentBasedDeduplication) {
    throw validation(`The FIFO queue ${queue.name} must have content-based deduplication enabled.`);
  }
}

function checkRequest(input: string | undefined): void {
  try {
    const request: unknown = JSON.parse(input ?? "");
    if (typeof request === "object" && request !== null && !Array.isArray(request)) return;
  } catch {
    // Refused below, like JSON of another kind.
  }
  throw validation("The input of a universal target must be a JSON object.");
}

function otherService(arn: string) {
  return validation(`The local cloud invokes SQS only, not ${arn}.`);
}
