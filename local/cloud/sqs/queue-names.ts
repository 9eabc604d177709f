import { queueDoesNotExist } from "./errors.ts";
import { requiredText } from "./input.ts";
import type { Input } from "./input.ts";
import type { Queue } from "./queue.ts";
import type { Queues } from "./queues.ts";

/** The account that everything in the local cloud belongs to. */
export const ACCOUNT = "000000000000";
const NAME_IN_URL = new RegExp(`(?:^|/)${ACCOUNT}/([^/]+)$`);

export function queueArn(region: string, name: string): string {
  return `arn:aws:sqs:${region}:${ACCOUNT}:${name}`;
}

/** `host` is what the client called us by, so that it can reach the URL. */
export function queueUrl(host: string, name: string): string {
  return `http://${host}/${ACCOUNT}/${name}`;
}

/** The queue that `QueueUrl` names, whatever host is in it. Throws `QueueDoesNotExist`. */
export function queueOf(queues: Queues, input: Input): Queue {
  const url = requiredText(input, "QueueUrl");
  const name = NAME_IN_URL.exec(url)?.[1];
  const queue = name === undefined ? undefined : queues.byName.get(name);
  if (!queue) throw queueDoesNotExist();
  return queue;
}

/** The queue that an ARN names, whatever region is in it; undefined when there is none. */
export function queueByArn(queues: Queues, arn: string): Queue | undefined {
  const name = /^arn:aws[\w-]*:sqs:[^:]*:\d{12}:([\w.-]+)$/.exec(arn)?.[1];
  return name === undefined ? undefined : queues.byName.get(name);
}
