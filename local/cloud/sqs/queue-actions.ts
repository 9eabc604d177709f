import type { Action, SqsContext } from "./context.ts";
import {
  invalidAttributeName,
  invalidParameter,
  purgeQueueInProgress,
  queueDeletedRecently,
  queueDoesNotExist,
  queueNameExists,
} from "./errors.ts";
import { optionalInteger, optionalText, requiredText, textList, textMap } from "./input.ts";
import type { Input } from "./input.ts";
import { checkAttributes, effectiveAttributes, settingsOf } from "./queue-attributes.ts";
import type { QueueAttributes } from "./queue-attributes.ts";
import { queueArn, queueOf, queueUrl } from "./queue-names.ts";
import type { Queue } from "./queue.ts";
import type { SqsRecord } from "./records.ts";
import { checkTags } from "./tags.ts";

/** API reference, CreateQueue, DeleteQueue and PurgeQueue. */
const NAME = /^(?=.{1,80}$)[\w-]+(\.fifo)?$/;
const RECREATE_AFTER_MS = 60_000;
const PURGE_AGAIN_AFTER_MS = 60_000;

/** Idempotent as long as no given attribute differs from what the queue has. */
export const createQueue: Action = async (context, { input, host }) => {
  const name = requiredText(input, "QueueName");
  const { FifoQueue, ...attributes } = textMap(input, "Attributes");
  const fifo = name.endsWith(".fifo");
  if (!NAME.test(name)) {
    throw invalidParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length");
  }
  if (FifoQueue !== undefined && FifoQueue !== "true") throw invalidAttributeName("FifoQueue");
  if (fifo !== (FifoQueue === "true")) {
    throw invalidParameter(
      "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.",
    );
  }
  checkAttributes(attributes, fifo);
  const existing = context.queues.byName.get(name);
  if (existing) {
    const current = effectiveAttributes(existing.attributes, fifo);
    const different = Object.entries(attributes).find(([key, value]) => (current[key] ?? "") !== value);
    if (different) throw queueNameExists(different[0]);
    return { output: { QueueUrl: queueUrl(host, name) } };
  }
  const deletedAt = context.queues.deletedAt.get(name) ?? -Infinity;
  if (context.now() < deletedAt + RECREATE_AFTER_MS) throw queueDeletedRecently();
  checkRedrive(context, attributes, fifo);
  const tags = checkTags(textMap(input, "tags"));
  const at = context.now();
  const records: SqsRecord[] = [{ type: "sqs.queue", name, attributes, createdAt: at, modifiedAt: at }];
  if (Object.keys(tags).length > 0) records.push({ type: "sqs.tags", queue: name, tags });
  await context.commit({ records });
  return { output: { QueueUrl: queueUrl(host, name) } };
};

export const getQueueUrl: Action = async ({ queues }, { input, host }) => {
  const name = requiredText(input, "QueueName");
  if (!queues.byName.has(name)) throw queueDoesNotExist();
  return { output: { QueueUrl: queueUrl(host, name) } };
};

export const listQueues: Action = async ({ queues }, { input, host }) => {
  const prefix = optionalText(input, "QueueNamePrefix") ?? "";
  const { urls, more } = pageOfQueues(
    [...queues.byName.keys()].filter((name) => name.startsWith(prefix)),
    input,
    host,
  );
  return { output: { ...(urls.length > 0 && { QueueUrls: urls }), ...more } };
};

/** The queues that have this one for their dead-letter queue. */
export const listDeadLetterSourceQueues: Action = async ({ queues }, { input, host }) => {
  const { name } = queueOf(queues, input);
  const sources = [...queues.byName.values()].filter(({ settings }) => settings.redrive?.target === name);
  const { urls, more } = pageOfQueues(
    sources.map((source) => source.name),
    input,
    host,
  );
  return { output: { queueUrls: urls, ...more } };
};

/** Without `MaxResults` at most 1,000 queues and no token (API reference). */
function pageOfQueues(
  all: readonly string[],
  input: Input,
  host: string,
): { urls: string[]; more: { NextToken?: string } } {
  const max = optionalInteger(input, "MaxResults", 1, 1000);
  const after = Buffer.from(optionalText(input, "NextToken") ?? "", "base64url").toString();
  const names = all.filter((name) => name > after).sort();
  const page = names.slice(0, max ?? 1000);
  const last = page.at(-1);
  const more = max !== undefined && last !== undefined && names.length > page.length;
  return {
    urls: page.map((name) => queueUrl(host, name)),
    more: more ? { NextToken: Buffer.from(last).toString("base64url") } : {},
  };
}

export const deleteQueue: Action = async ({ queues, commit }, { input }) => {
  const { name } = queueOf(queues, input);
  await commit({ records: [{ type: "sqs.queueDeleted", name }] });
  return { output: {} };
};

export const purgeQueue: Action = async ({ queues, commit, now }, { input }) => {
  const queue = queueOf(queues, input);
  if (now() < queue.purgedAt + PURGE_AGAIN_AFTER_MS) throw purgeQueueInProgress(queue.name);
  await commit({ records: [{ type: "sqs.purged", queue: queue.name }] });
  queue.purgedAt = now();
  return { output: {} };
};

export const getQueueAttributes: Action = async ({ queues, region }, { input }) => {
  const queue = queueOf(queues, input);
  const names = textList(input, "AttributeNames");
  const all = allAttributes(queue, region);
  const unknown = names.find((name) => name !== "All" && !READABLE.has(name));
  if (unknown !== undefined) throw invalidAttributeName(unknown);
  const chosen = Object.entries(all).filter(([name]) => names.includes("All") || names.includes(name));
  return { output: chosen.length > 0 ? { Attributes: Object.fromEntries(chosen) } : {} };
};

export const setQueueAttributes: Action = async (context, { input }) => {
  const queue = queueOf(context.queues, input);
  const attributes = textMap(input, "Attributes");
  checkAttributes(attributes, queue.fifo);
  checkRedrive(context, attributes, queue.fifo);
  const { name, createdAt } = queue;
  await context.commit({ records: [{ type: "sqs.queue", name, attributes, createdAt, modifiedAt: context.now() }] });
  return { output: {} };
};

function allAttributes(queue: Queue, region: string): Record<string, string> {
  queue.reveal();
  const { available, delayed, inFlight } = queue.counts;
  return {
    ...effectiveAttributes(queue.attributes, queue.fifo),
    QueueArn: queueArn(region, queue.name),
    CreatedTimestamp: String(Math.floor(queue.createdAt / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.modifiedAt / 1000)),
    ApproximateNumberOfMessages: String(available),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
  };
}

/** The attributes that may be asked for (API reference, GetQueueAttributes), set or not. */
const READABLE = new Set([
  "ApproximateNumberOfMessages",
  "ApproximateNumberOfMessagesDelayed",
  "ApproximateNumberOfMessagesNotVisible",
  "ContentBasedDeduplication",
  "CreatedTimestamp",
  "DeduplicationScope",
  "DelaySeconds",
  "FifoQueue",
  "FifoThroughputLimit",
  "KmsDataKeyReusePeriodSeconds",
  "KmsMasterKeyId",
  "LastModifiedTimestamp",
  "MaximumMessageSize",
  "MessageRetentionPeriod",
  "Policy",
  "QueueArn",
  "ReceiveMessageWaitTimeSeconds",
  "RedriveAllowPolicy",
  "RedrivePolicy",
  "SqsManagedSseEnabled",
  "VisibilityTimeout",
]);

/** The dead-letter queue must exist and be of the same type (developer guide, "dead-letter queues"). */
function checkRedrive({ queues }: SqsContext, attributes: QueueAttributes, fifo: boolean): void {
  const { redrive } = settingsOf(attributes, fifo);
  if (!redrive) return;
  const target = queues.byName.get(redrive.target);
  const refuse = (reason: string) =>
    invalidParameter(`Value ${attributes.RedrivePolicy} for parameter RedrivePolicy is invalid. Reason: ${reason}`);
  if (!target) throw refuse("Dead letter target does not exist.");
  if (target.fifo !== fifo) throw refuse("Dead-letter queue must be same type of queue as the source.");
}
