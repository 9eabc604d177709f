import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { AwsError } from "../aws-error.ts";
import { readBody } from "../body.ts";
import type { Exchange } from "../exchange.ts";
import { changeMessageVisibility, changeMessageVisibilityBatch } from "./change-visibility.ts";
import type { Action, Answer, ServingContext } from "./context.ts";
import { deleteMessage, deleteMessageBatch } from "./delete.ts";
import { parseInput } from "./input.ts";
import { cancelMessageMoveTask, listMessageMoveTasks, startMessageMoveTask } from "./move-task-actions.ts";
import {
  createQueue,
  deleteQueue,
  getQueueAttributes,
  getQueueUrl,
  listDeadLetterSourceQueues,
  listQueues,
  purgeQueue,
  setQueueAttributes,
} from "./queue-actions.ts";
import { receiveMessage } from "./receive.ts";
import { sendMessage, sendMessageBatch } from "./send.ts";
import { listQueueTags, tagQueue, untagQueue } from "./tags.ts";

const ACTIONS = new Map<string, Action>([
  ["CancelMessageMoveTask", cancelMessageMoveTask],
  ["ChangeMessageVisibility", changeMessageVisibility],
  ["ChangeMessageVisibilityBatch", changeMessageVisibilityBatch],
  ["CreateQueue", createQueue],
  ["DeleteMessage", deleteMessage],
  ["DeleteMessageBatch", deleteMessageBatch],
  ["DeleteQueue", deleteQueue],
  ["GetQueueAttributes", getQueueAttributes],
  ["GetQueueUrl", getQueueUrl],
  ["ListDeadLetterSourceQueues", listDeadLetterSourceQueues],
  ["ListMessageMoveTasks", listMessageMoveTasks],
  ["ListQueueTags", listQueueTags],
  ["ListQueues", listQueues],
  ["PurgeQueue", purgeQueue],
  ["ReceiveMessage", receiveMessage],
  ["SendMessage", sendMessage],
  ["SendMessageBatch", sendMessageBatch],
  ["SetQueueAttributes", setQueueAttributes],
  ["StartMessageMoveTask", startMessageMoveTask],
  ["TagQueue", tagQueue],
  ["UntagQueue", untagQueue],
]);

/** 1 MiB of text, every character of it escaped in JSON (`\u0009`), and the fields around it. */
const LONGEST_BODY_BYTES = 8 * 1024 * 1024;

/** Answers one request of the AWS JSON 1.0 protocol. Throws `AwsError`. */
export async function serveSqs(context: ServingContext, exchange: Exchange): Promise<void> {
  const { request, response, gone } = exchange;
  const body = await readBody(request, LONGEST_BODY_BYTES);
  exchange.verify(createHash("sha256").update(body).digest("hex"));
  const target = request.headers["x-amz-target"];
  const name = typeof target === "string" ? /^AmazonSQS\.(\w+)$/.exec(target)?.[1] : undefined;
  const action = name === undefined ? undefined : ACTIONS.get(name);
  if (!action) {
    const message = `The action ${name ?? "(none)"} is not valid for this endpoint.`;
    throw new AwsError("UnknownOperationException", 400, message, { legacyCode: "InvalidAction" });
  }
  const host = request.headers.host ?? "127.0.0.1";
  await sendAnswer(response, await action(context, { input: parseInput(body), host, gone }));
}

/** Sends the output; when the client is not there any more, takes the effect back. */
async function sendAnswer(response: ServerResponse, { output, unsent }: Answer): Promise<void> {
  const sent = await new Promise<boolean>((resolve) => {
    if (response.destroyed) return resolve(false);
    response.once("close", () => resolve(response.writableFinished));
    const body = Buffer.from(JSON.stringify(output));
    response.writeHead(200, { "content-type": "application/x-amz-json-1.0", "content-length": body.length });
    return response.end(body);
  });
  if (!sent) await unsent?.();
}

/** The SDK takes the error's name from the header where it is there, else from `__type`. */
export function sendSqsError(response: ServerResponse, error: AwsError): void {
  const body = Buffer.from(JSON.stringify({ __type: `com.amazonaws.sqs#${error.code}`, message: error.message }));
  const fault = error.status < 500 ? "Sender" : "Receiver";
  response.writeHead(error.status, {
    "content-type": "application/x-amz-json-1.0",
    "content-length": body.length,
    "x-amzn-query-error": `${error.legacyCode};${fault}`,
  });
  response.end(body);
}
