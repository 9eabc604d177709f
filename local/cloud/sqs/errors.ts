import { AwsError } from "../aws-error.ts";

/** Errors of the SQS API. Codes, legacy codes and status: the service model (`awsQueryError` traits). */
const LEGACY = "AWS.SimpleQueueService";

export const queueDoesNotExist = () =>
  new AwsError("QueueDoesNotExist", 400, "The specified queue does not exist.", {
    legacyCode: `${LEGACY}.NonExistentQueue`,
  });

export const queueNameExists = (attribute: string) =>
  new AwsError(
    "QueueNameExists",
    400,
    `A queue already exists with the same name and a different value for attribute ${attribute}`,
    { legacyCode: "QueueAlreadyExists" },
  );

export const queueDeletedRecently = () =>
  new AwsError(
    "QueueDeletedRecently",
    400,
    "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    { legacyCode: `${LEGACY}.QueueDeletedRecently` },
  );

export const resourceNotFound = (message: string) => new AwsError("ResourceNotFoundException", 404, message);

export const purgeQueueInProgress = (name: string) =>
  new AwsError("PurgeQueueInProgress", 403, `Only one PurgeQueue operation on ${name} is allowed every 60 seconds.`, {
    legacyCode: `${LEGACY}.PurgeQueueInProgress`,
  });

export const invalidParameter = (message: string) => new AwsError("InvalidParameterValue", 400, message);

export const missingParameter = (name: string) =>
  new AwsError("MissingParameter", 400, `The request must contain the parameter ${name}.`);

export const invalidAttributeName = (name: string) =>
  new AwsError("InvalidAttributeName", 400, `Unknown Attribute ${name}.`);

export const invalidAttributeValue = (name: string) =>
  new AwsError("InvalidAttributeValue", 400, `Invalid value for the parameter ${name}.`);

export const invalidMessageContents = () =>
  new AwsError(
    "InvalidMessageContents",
    400,
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
  );

export const receiptHandleIsInvalid = () =>
  new AwsError("ReceiptHandleIsInvalid", 404, "The input receipt handle is not a valid receipt handle.");

export const messageNotInflight = () =>
  new AwsError(
    "MessageNotInflight",
    400,
    "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.",
    { legacyCode: `${LEGACY}.MessageNotInflight` },
  );

export const overLimit = () =>
  new AwsError("OverLimit", 403, "Too many messages are in flight; delete messages or let their visibility run out.");

export const unsupportedOperation = (message: string) =>
  new AwsError("UnsupportedOperation", 400, message, { legacyCode: `${LEGACY}.UnsupportedOperation` });

export const batchError = (
  code:
    | "BatchEntryIdsNotDistinct"
    | "BatchRequestTooLong"
    | "EmptyBatchRequest"
    | "InvalidBatchEntryId"
    | "TooManyEntriesInBatchRequest",
  message: string,
) => new AwsError(code, 400, message, { legacyCode: `${LEGACY}.${code}` });
