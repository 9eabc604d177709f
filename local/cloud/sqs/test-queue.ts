import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from "@aws-sdk/client-sqs";
import type { Message, ReceiveMessageCommandInput, SendMessageCommandInput } from "@aws-sdk/client-sqs";
import type { TestCloud } from "../test-cloud.ts";

let created = 0;

/** A new queue and the verbs that tests use most. */
export async function createTestQueue(cloud: TestCloud, kind: "fifo" | "standard", attributes = {}) {
  created += 1;
  const fifo = kind === "fifo" ? { FifoQueue: "true", ContentBasedDeduplication: "true" } : {};
  const QueueName = `queue-${created}${kind === "fifo" ? ".fifo" : ""}`;
  const answer = await cloud.sqs.send(new CreateQueueCommand({ QueueName, Attributes: { ...fifo, ...attributes } }));
  const name = QueueName;
  /** As seen now: the port changes when the cloud restarts. */
  const url = () => `${cloud.endpoint}/000000000000/${name}`;
  const receive = async (input: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> => {
    const command = new ReceiveMessageCommand({ QueueUrl: url(), MaxNumberOfMessages: 10, ...input });
    return (await cloud.sqs.send(command)).Messages ?? [];
  };
  return {
    name,
    arn: `arn:aws:sqs:us-east-1:000000000000:${name}`,
    createdUrl: answer.QueueUrl,
    get url() {
      return url();
    },
    send: (MessageBody: string, input: Partial<SendMessageCommandInput> = {}) =>
      cloud.sqs.send(new SendMessageCommand({ QueueUrl: url(), MessageBody, ...input })),
    receive,
    bodies: async (input: Partial<ReceiveMessageCommandInput> = {}) => {
      return (await receive(input)).map(({ Body }) => Body);
    },
    remove: (message: Message | undefined) =>
      cloud.sqs.send(new DeleteMessageCommand({ QueueUrl: url(), ReceiptHandle: message?.ReceiptHandle })),
    attribute: async (name: string) => {
      const command = new GetQueueAttributesCommand({ QueueUrl: url(), AttributeNames: ["All"] });
      return ((await cloud.sqs.send(command)).Attributes as Record<string, string>)[name];
    },
  };
}

export type TestQueue = Awaited<ReturnType<typeof createTestQueue>>;
