import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListMessageMoveTasksCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import type {
  Message,
  ReceiveMessageCommandInput,
  SendMessageBatchRequestEntry,
  SendMessageCommandInput,
} from "@aws-sdk/client-sqs";
import { eventually, refused } from "./case.ts";
import type { ConformanceCase } from "./case.ts";
import type { Target } from "./target.ts";

/** A queue of the target and the verbs that the cases use most. */
async function open({ sqs, queue }: Target, kind: "fifo" | "standard", attributes: Record<string, string> = {}) {
  const { url: QueueUrl, arn, name } = await queue(kind, attributes);
  const receive = async (input: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> => {
    const asked = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, ...input };
    return (await sqs.send(new ReceiveMessageCommand(asked))).Messages ?? [];
  };
  return {
    QueueUrl,
    arn,
    name,
    sqs,
    receive,
    bodies: async (input: Partial<ReceiveMessageCommandInput> = {}) => (await receive(input)).map(({ Body }) => Body),
    send: (MessageBody: string, input: Partial<SendMessageCommandInput> = {}) =>
      sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...input })),
    sendBatch: (Entries: SendMessageBatchRequestEntry[]) =>
      sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries })),
    remove: (message: Message | undefined) =>
      sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle })),
    setVisibility: (message: Message | undefined, VisibilityTimeout: number) =>
      sqs.send(
        new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle, VisibilityTimeout }),
      ),
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

function sqsCase(
  kind: "fifo" | "standard",
  name: string,
  run: (opened: Opened, target: Target) => Promise<void>,
  attributes: Record<string, string> = {},
): ConformanceCase {
  return {
    service: "sqs",
    name: `sqs: ${name}`,
    run: async (target) => run(await open(target, kind, attributes), target),
  };
}

const inGroup = (MessageGroupId: string, MessageDeduplicationId?: string) => ({
  MessageGroupId,
  MessageDeduplicationId,
});
const CONTENT_BASED = { ContentBasedDeduplication: "true" };

export const sqsCases: ConformanceCase[] = [
  sqsCase("standard", "a message comes with its digests, attributes and receive count", async ({ send, receive }) => {
    const MessageAttributes = { kind: { DataType: "String", StringValue: "test" } };
    const { MD5OfMessageBody } = await send("hello", { MessageAttributes });
    assert.equal(MD5OfMessageBody, createHash("md5").update("hello").digest("hex"));
    const [message] = await receive({ MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All"] });
    assert.equal(message?.Body, "hello");
    assert.equal(message.MessageAttributes?.kind?.StringValue, "test");
    assert.equal(message.Attributes?.ApproximateReceiveCount, "1");
    assert.match(message.Attributes?.SentTimestamp ?? "", /^\d{13}$/);
  }),
  sqsCase(
    "standard",
    "a received message is hidden until its visibility is over",
    async ({ send, receive, bodies, setVisibility }) => {
      await send("x");
      const [message] = await receive({ VisibilityTimeout: 60 });
      assert.deepEqual(await bodies(), []);
      await setVisibility(message, 0);
      assert.deepEqual(await bodies({ WaitTimeSeconds: 5 }), ["x"]);
    },
  ),
  sqsCase("standard", "a deleted message does not come back", async ({ send, receive, bodies, remove }) => {
    await send("x");
    const [message] = await receive({ VisibilityTimeout: 1, WaitTimeSeconds: 5 });
    await remove(message);
    assert.deepEqual(await bodies({ WaitTimeSeconds: 2 }), []);
  }),
  sqsCase("standard", "a long poll ends as soon as a message comes", async ({ send, bodies }) => {
    const polling = bodies({ WaitTimeSeconds: 20 });
    const startedAt = Date.now();
    await send("x");
    assert.deepEqual(await polling, ["x"]);
    assert(Date.now() - startedAt < 10_000);
  }),
  sqsCase("standard", "a delayed message comes later", async ({ send, bodies }) => {
    await send("x", { DelaySeconds: 2 });
    assert.deepEqual(await bodies({ WaitTimeSeconds: 0 }), []);
    assert.deepEqual(await bodies({ WaitTimeSeconds: 5 }), ["x"]);
  }),
  sqsCase("standard", "what is not there has the documented errors", async ({ sqs, remove, QueueUrl }) => {
    await refused(sqs.send(new GetQueueUrlCommand({ QueueName: "conformance-no-such-queue" })), "QueueDoesNotExist");
    const elsewhere = QueueUrl.replace(/[^/]+$/, "conformance-no-such-queue");
    await refused(sqs.send(new ReceiveMessageCommand({ QueueUrl: elsewhere })), "QueueDoesNotExist");
    await refused(remove({ ReceiptHandle: "nonsense" }), "ReceiptHandleIsInvalid");
  }),
  sqsCase("standard", "a queue is created once, and refused with other attributes", async ({ sqs, name, QueueUrl }) => {
    assert.equal((await sqs.send(new CreateQueueCommand({ QueueName: name }))).QueueUrl, QueueUrl);
    const other = new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: "77" } });
    await refused(sqs.send(other), "QueueNameExists");
  }),
  sqsCase("standard", "attributes have their defaults", async ({ sqs, QueueUrl }) => {
    const asking = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] });
    const { Attributes = {} } = await sqs.send(asking);
    const { VisibilityTimeout, DelaySeconds, MaximumMessageSize, MessageRetentionPeriod } = Attributes;
    assert.deepEqual(
      [VisibilityTimeout, DelaySeconds, MaximumMessageSize, MessageRetentionPeriod],
      ["30", "0", "1048576", "345600"],
    );
  }),
  sqsCase("standard", "a message of 1 MiB is taken, a longer one refused", async ({ send, receive }) => {
    await send("x".repeat(1_048_576));
    const [message] = await receive({ WaitTimeSeconds: 5 });
    assert.equal(message?.Body?.length, 1_048_576);
    await refused(send("x".repeat(1_048_577)), "InvalidParameterValue");
  }),
  sqsCase("standard", "characters that XML cannot carry are refused", async ({ send }) => {
    await refused(send("a\u0000b"), "InvalidMessageContents");
  }),
  sqsCase(
    "standard",
    "the entries of a batch succeed and fail by themselves",
    async ({ sendBatch, sqs, QueueUrl, receive }) => {
      const { Successful, Failed } = await sendBatch([
        { Id: "good", MessageBody: "x" },
        { Id: "bad", MessageBody: "a\u0001b" },
      ]);
      assert.deepEqual(
        Successful?.map(({ Id }) => Id),
        ["good"],
      );
      assert.deepEqual(
        Failed?.map(({ Id, SenderFault }) => [Id, SenderFault]),
        [["bad", true]],
      );
      const [message] = await receive({ WaitTimeSeconds: 5 });
      const Entries = [
        { Id: "1", ReceiptHandle: message?.ReceiptHandle },
        { Id: "2", ReceiptHandle: "nonsense" },
      ];
      const removed = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      assert.deepEqual([removed.Successful?.[0]?.Id, removed.Failed?.[0]?.Id], ["1", "2"]);
    },
  ),
  sqsCase("standard", "batches that make no sense are refused", async ({ sendBatch }) => {
    await refused(sendBatch([]), "EmptyBatchRequest");
    const twice = ["a", "a"].map((Id) => ({ Id, MessageBody: "x" }));
    await refused(sendBatch(twice), "BatchEntryIdsNotDistinct");
    const many = Array.from({ length: 11 }, (_, index) => ({ Id: `${index}`, MessageBody: "x" }));
    await refused(sendBatch(many), "TooManyEntriesInBatchRequest");
    await refused(sendBatch([{ Id: "a b", MessageBody: "x" }]), "InvalidBatchEntryId");
    const large = ["a", "b"].map((Id) => ({ Id, MessageBody: "x".repeat(600_000) }));
    await refused(sendBatch(large), "BatchRequestTooLong");
  }),
  sqsCase("fifo", "messages of a group come in order, several in one receive", async ({ send, receive }) => {
    const sent = [];
    for (const body of ["1", "2", "3"]) sent.push(await send(body, inGroup("a", body)));
    const received = await receive({ WaitTimeSeconds: 5, MessageSystemAttributeNames: ["All"] });
    assert.deepEqual(
      received.map(({ Body }) => Body),
      ["1", "2", "3"],
    );
    const numbers = received.map(({ Attributes }) => Attributes?.SequenceNumber);
    assert.deepEqual(
      numbers,
      sent.map(({ SequenceNumber }) => SequenceNumber),
    );
    const ascending = numbers.every(
      (number, index) => index === 0 || BigInt(number ?? 0) > BigInt(numbers[index - 1] ?? 0),
    );
    assert(ascending, `${numbers.join(", ")} do not rise`);
  }),
  sqsCase(
    "fifo",
    "a group is locked while one of its messages is in flight, the others are not",
    async ({ send, receive, bodies, remove }) => {
      for (const body of ["a1", "a2"]) await send(body, inGroup("a", body));
      const [first] = await receive({ MaxNumberOfMessages: 1, WaitTimeSeconds: 5 });
      await send("b1", inGroup("b", "b1"));
      assert.deepEqual(await bodies({ WaitTimeSeconds: 5 }), ["b1"]);
      assert.deepEqual(await bodies(), []);
      await remove(first);
      assert.deepEqual(await bodies({ WaitTimeSeconds: 5 }), ["a2"]);
    },
  ),
  sqsCase(
    "fifo",
    "a message that was given back comes first again",
    async ({ send, receive, bodies, setVisibility }) => {
      for (const body of ["1", "2"]) await send(body, inGroup("a", body));
      const [first] = await receive({ MaxNumberOfMessages: 1, WaitTimeSeconds: 5 });
      await setVisibility(first, 0);
      assert.deepEqual(await bodies({ WaitTimeSeconds: 5 }), ["1", "2"]);
    },
  ),
  sqsCase(
    "fifo",
    "a deduplication id makes one message of several, also after its deletion",
    async ({ send, receive, bodies, remove }) => {
      const first = await send("one", inGroup("a", "id"));
      const again = await send("other", inGroup("b", "id"));
      assert.equal(again.MessageId, first.MessageId);
      assert.equal(again.SequenceNumber, first.SequenceNumber);
      const [message] = await receive({ WaitTimeSeconds: 5 });
      await remove(message);
      await send("one", inGroup("a", "id"));
      assert.deepEqual(await bodies({ WaitTimeSeconds: 2 }), []);
    },
  ),
  sqsCase(
    "fifo",
    "content-based deduplication takes the body for the id",
    async ({ send, bodies }) => {
      for (const group of ["a", "b"]) await send("same", inGroup(group));
      await send("different", inGroup("a"));
      assert.deepEqual(new Set(await bodies({ WaitTimeSeconds: 5 })), new Set(["different", "same"]));
    },
    CONTENT_BASED,
  ),
  sqsCase("fifo", "a message without group, without id or with a delay is refused", async ({ send }) => {
    await refused(send("x", { MessageDeduplicationId: "id" }), "MissingParameter");
    await refused(send("x", inGroup("a")), "InvalidParameterValue");
    await refused(send("x", { ...inGroup("a", "id"), DelaySeconds: 5 }), "InvalidParameterValue");
  }),
  sqsCase("fifo", "a receive attempt can be repeated", async ({ send, receive, bodies }) => {
    await send("x", inGroup("a", "x"));
    const attempt = { ReceiveRequestAttemptId: "attempt", WaitTimeSeconds: 5 };
    const first = await receive(attempt);
    assert.deepEqual(
      (await receive(attempt)).map(({ MessageId }) => MessageId),
      first.map(({ MessageId }) => MessageId),
    );
    assert.deepEqual(await bodies(), []);
  }),
  sqsCase("fifo", "an expired handle does not delete", async ({ send, receive, bodies, remove }) => {
    await send("x", inGroup("a", "x"));
    const [message] = await receive({ VisibilityTimeout: 1, WaitTimeSeconds: 5 });
    assert.deepEqual(await bodies({ WaitTimeSeconds: 5, VisibilityTimeout: 30 }), ["x"]);
    await refused(remove(message), "InvalidParameterValue");
  }),
  {
    service: "sqs",
    name: "sqs: messages that are received too often become dead letters, and can be moved back",
    run: async (target) => {
      const dead = await open(target, "standard");
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
      const source = await open(target, "standard", { RedrivePolicy, VisibilityTimeout: "0" });
      await source.send("x");
      const letter = await eventually(async () => {
        await source.receive({ WaitTimeSeconds: 0 });
        return (await dead.receive({ WaitTimeSeconds: 0, MessageSystemAttributeNames: ["All"] }))[0];
      });
      assert.equal(letter.Attributes?.DeadLetterQueueSourceArn, source.arn);
      await dead.setVisibility(letter, 0);
      const { sqs } = target;
      await sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead.arn }));
      assert.deepEqual(await source.bodies({ WaitTimeSeconds: 10, VisibilityTimeout: 30 }), ["x"]);
      const task = await eventually(async () => {
        const { Results } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn: dead.arn }));
        return Results?.[0]?.Status === "COMPLETED" ? Results[0] : undefined;
      });
      assert.equal(task.ApproximateNumberOfMessagesMoved, 1);
    },
  },
];
