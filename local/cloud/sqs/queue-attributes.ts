import { invalidAttributeName, invalidAttributeValue } from "./errors.ts";

export type QueueAttributes = Readonly<Record<string, string>>;

/** The attributes that something here depends on, in the units that are computed with. */
export type QueueSettings = {
  fifo: boolean;
  visibilityTimeoutSeconds: number;
  delaySeconds: number;
  waitSeconds: number;
  maximumMessageBytes: number;
  retentionMs: number;
  contentBasedDeduplication: boolean;
  deduplicatePerGroup: boolean;
  redrive: { target: string; maxReceiveCount: number } | undefined;
};

/** API reference, CreateQueue and SetQueueAttributes: range and default of each attribute. */
const NUMBERS: Record<string, { from: number; to: number; default: string }> = {
  DelaySeconds: { from: 0, to: 900, default: "0" },
  MaximumMessageSize: { from: 1024, to: 1_048_576, default: "1048576" },
  MessageRetentionPeriod: { from: 60, to: 1_209_600, default: "345600" },
  ReceiveMessageWaitTimeSeconds: { from: 0, to: 20, default: "0" },
  VisibilityTimeout: { from: 0, to: 43_200, default: "30" },
};
const FIFO_CHOICES: Record<string, { values: string[]; default: string }> = {
  ContentBasedDeduplication: { values: ["true", "false"], default: "false" },
  DeduplicationScope: { values: ["queue", "messageGroup"], default: "queue" },
  FifoThroughputLimit: { values: ["perQueue", "perMessageGroupId"], default: "perQueue" },
};
/** Kept and given back; without effect here. */
const INERT = [
  "Policy",
  "RedriveAllowPolicy",
  "KmsMasterKeyId",
  "KmsDataKeyReusePeriodSeconds",
  "SqsManagedSseEnabled",
];

/** Throws `InvalidAttributeName` or `InvalidAttributeValue`. An empty RedrivePolicy is allowed: it removes the policy. */
export function checkAttributes(attributes: QueueAttributes, fifo: boolean): void {
  for (const [name, value] of Object.entries(attributes)) {
    const number = NUMBERS[name];
    const choice = fifo ? FIFO_CHOICES[name] : undefined;
    if (number) {
      const within = /^\d{1,9}$/.test(value) && Number(value) >= number.from && Number(value) <= number.to;
      if (!within) throw invalidAttributeValue(name);
    } else if (choice) {
      if (!choice.values.includes(value)) throw invalidAttributeValue(name);
    } else if (name === "RedrivePolicy") {
      if (value !== "" && !parseRedrive(value)) throw invalidAttributeValue(name);
    } else if (!INERT.includes(name)) {
      throw invalidAttributeName(name);
    }
  }
}

/** All attributes with the values that hold: those that were set, and the defaults of the others. */
export function effectiveAttributes(attributes: QueueAttributes, fifo: boolean): Record<string, string> {
  const numbers = Object.entries(NUMBERS).map(([name, { default: value }]) => [name, value]);
  const choices = Object.entries(FIFO_CHOICES).map(([name, { default: value }]) => [name, value]);
  const defaults: Record<string, string> = Object.fromEntries(fifo ? [...numbers, ...choices] : numbers);
  return {
    ...defaults,
    SqsManagedSseEnabled: "true",
    ...attributes,
    ...(fifo && { FifoQueue: "true" }),
  };
}

export function settingsOf(attributes: QueueAttributes, fifo: boolean): QueueSettings {
  const all = effectiveAttributes(attributes, fifo);
  const number = (name: string) => Number(all[name]);
  return {
    fifo,
    visibilityTimeoutSeconds: number("VisibilityTimeout"),
    delaySeconds: number("DelaySeconds"),
    waitSeconds: number("ReceiveMessageWaitTimeSeconds"),
    maximumMessageBytes: number("MaximumMessageSize"),
    retentionMs: number("MessageRetentionPeriod") * 1000,
    contentBasedDeduplication: all.ContentBasedDeduplication === "true",
    deduplicatePerGroup: all.DeduplicationScope === "messageGroup",
    redrive: all.RedrivePolicy ? parseRedrive(all.RedrivePolicy) : undefined,
  };
}

/** `target` is the name of the queue. */
function parseRedrive(policy: string): QueueSettings["redrive"] {
  try {
    const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(policy) as Record<string, unknown>;
    const target = /^arn:aws[\w-]*:sqs:[^:]*:\d{12}:([\w.-]+)$/.exec(String(deadLetterTargetArn))?.[1];
    const count = Number(maxReceiveCount);
    if (!target || !Number.isInteger(count) || count < 1 || count > 1000) return undefined;
    return { target, maxReceiveCount: count };
  } catch {
    return undefined;
  }
}
