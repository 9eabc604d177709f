import type { Action, SqsContext } from "./context.ts";
import { invalidParameter } from "./errors.ts";
import { textList, textMap } from "./input.ts";
import { queueOf } from "./queue-names.ts";
import type { Queue } from "./queue.ts";

/** Developer guide, "Amazon SQS cost allocation tags": names, values and number of a queue's tags. */
const MOST_TAGS = 50;
const LONGEST_KEY = 128;
const LONGEST_VALUE = 256;

export const tagQueue: Action = async (context, { input }) => {
  const queue = queueOf(context.queues, input);
  await setTags(context, queue, { ...queue.tags, ...textMap(input, "Tags") });
  return { output: {} };
};

export const untagQueue: Action = async (context, { input }) => {
  const queue = queueOf(context.queues, input);
  const keys = textList(input, "TagKeys");
  await setTags(context, queue, Object.fromEntries(Object.entries(queue.tags).filter(([key]) => !keys.includes(key))));
  return { output: {} };
};

export const listQueueTags: Action = async ({ queues }, { input }) => {
  const { tags } = queueOf(queues, input);
  return { output: Object.keys(tags).length > 0 ? { Tags: tags } : {} };
};

async function setTags({ commit }: SqsContext, { name }: Queue, tags: Record<string, string>): Promise<void> {
  await commit({ records: [{ type: "sqs.tags", queue: name, tags: checkTags(tags) }] });
}

/** Throws `InvalidParameterValue`. */
export function checkTags(tags: Record<string, string>): Record<string, string> {
  const entries = Object.entries(tags);
  if (entries.length > MOST_TAGS) throw invalidParameter(`Too many tags: ${entries.length}. The most is ${MOST_TAGS}.`);
  for (const [key, value] of entries) {
    if (key === "" || key.length > LONGEST_KEY || key.startsWith("aws:")) {
      throw invalidParameter(`Tag keys must be between 1 and ${LONGEST_KEY} characters and not begin with aws:.`);
    }
    if (value.length > LONGEST_VALUE) throw invalidParameter(`Tag values have at most ${LONGEST_VALUE} characters.`);
  }
  return tags;
}
