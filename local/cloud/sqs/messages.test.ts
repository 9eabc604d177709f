import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import type { Message } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { createTestQueue } from "./test-queue.ts";
import type { TestQueue } from "./test-queue.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

const hide = (queue: TestQueue, message: Message | undefined, VisibilityTimeout: number) => {
  const { ReceiptHandle } = message ?? {};
  return cloud.sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout }));
};

describe("a message", () => {
  it("comes with its attributes, its count and the times it was sent and first received", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    const sent = await queue.send("hello ✓", {
      MessageGroupId: "g",
      MessageAttributes: {
        text: { DataType: "String", StringValue: "é" },
        "app.number": { DataType: "Number.int", StringValue: "7" },
        bytes: { DataType: "Binary", BinaryValue: Buffer.from([1, 2, 3]) },
      },
    });
    const [message] = await queue.receive({ MessageSystemAttributeNames: ["All"], MessageAttributeNames: ["All"] });
    expect(message).toMatchObject({
      MessageId: sent.MessageId,
      Body: "hello ✓",
      MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
      MessageAttributes: {
        text: { DataType: "String", StringValue: "é" },
        "app.number": { DataType: "Number.int", StringValue: "7" },
        bytes: { DataType: "Binary", BinaryValue: new Uint8Array([1, 2, 3]) },
      },
      Attributes: {
        ApproximateReceiveCount: "1",
        MessageGroupId: "g",
        MessageDeduplicationId: expect.stringMatching(/^[0-9a-f]{64}$/),
        SequenceNumber: sent.SequenceNumber,
        SentTimestamp: expect.stringMatching(/^\d{13}$/),
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
    });
  });

  it("comes only with the attributes that were asked for", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const attribute = { DataType: "String", StringValue: "v" };
    const MessageAttributes = { "app.one": attribute, "app.two": attribute, other: attribute };
    await queue.send("x", { MessageAttributes });
    const [first] = await queue.receive({ MessageAttributeNames: ["app.*"], VisibilityTimeout: 0 });
    expect(Object.keys(first?.MessageAttributes ?? {})).toEqual(["app.one", "app.two"]);
    const [second] = await queue.receive({ MessageSystemAttributeNames: ["ApproximateReceiveCount"] });
    expect(second?.MessageAttributes).toBeUndefined();
    expect(second?.Attributes).toEqual({ ApproximateReceiveCount: "2" });
  });

  it("has the MD5 that AWS documents for its attributes", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const sent = await queue.send("x", { MessageAttributes: { x: { DataType: "String", StringValue: "y" } } });
    // Length-prefixed name, type, the byte 1, length-prefixed value; computed apart with md5sum.
    expect(sent.MD5OfMessageAttributes).toBe("60bccc2493f2208427ba7907b3c95929");
  });

  it("may have 1 MiB and not a byte more, and only characters that XML allows", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const largest = "x".repeat(1_048_576);
    await queue.send(largest);
    expect(await queue.bodies()).toEqual([largest]);
    await expect(queue.send(`${largest}x`)).rejects.toMatchObject({ name: "InvalidParameterValue" });
    await expect(queue.send("bell \u0007")).rejects.toMatchObject({ name: "InvalidMessageContents" });
    await expect(queue.send("lone \ud800")).rejects.toMatchObject({ name: "InvalidMessageContents" });
    await expect(queue.send("")).rejects.toMatchObject({ name: "MissingParameter" });
  });

  it.each([
    ["a name that is reserved", { "AWS.x": { DataType: "String", StringValue: "v" } }],
    ["a type that does not exist", { x: { DataType: "Date", StringValue: "v" } }],
    ["no value", { x: { DataType: "String" } }],
    ["a number that is none", { x: { DataType: "Number", StringValue: "seven" } }],
  ])("is refused with an attribute that has %s", async (_, MessageAttributes) => {
    const queue = await createTestQueue(cloud, "standard");
    await expect(queue.send("x", { MessageAttributes })).rejects.toMatchObject({ name: "InvalidParameterValue" });
  });
});

describe("visibility", () => {
  it("hides a received message until it runs out, then counts the second receive", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await queue.send("x");
    await queue.receive({ VisibilityTimeout: 20 });
    expect(await queue.receive()).toEqual([]);
    cloud.advance(20_500);
    const [message] = await queue.receive({ MessageSystemAttributeNames: ["ApproximateReceiveCount"] });
    expect(message?.Attributes).toEqual({ ApproximateReceiveCount: "2" });
  });

  it("can be prolonged and ended", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await queue.send("x");
    const [message] = await queue.receive({ VisibilityTimeout: 10 });
    await hide(queue, message, 100);
    cloud.advance(90_000);
    expect(await queue.receive()).toEqual([]);
    await hide(queue, message, 0);
    expect(await queue.bodies()).toEqual(["x"]);
  });

  it("cannot be changed for what is not in flight or was never a handle", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await queue.send("x");
    const [message] = await queue.receive({ VisibilityTimeout: 10 });
    cloud.advance(10_500);
    await expect(hide(queue, message, 5)).rejects.toMatchObject({ name: "MessageNotInflight" });
    await expect(hide(queue, { ReceiptHandle: "nonsense" }, 5)).rejects.toMatchObject({
      name: "ReceiptHandleIsInvalid",
    });
    await expect(queue.remove({ ReceiptHandle: "nonsense" })).rejects.toMatchObject({ name: "ReceiptHandleIsInvalid" });
  });

  it("gives a delayed message out when its delay is over", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await queue.send("late", { DelaySeconds: 60 });
    await queue.send("now");
    expect(await queue.bodies()).toEqual(["now"]);
    expect(await queue.attribute("ApproximateNumberOfMessagesDelayed")).toBe("1");
    cloud.advance(60_500);
    expect(await queue.bodies()).toContain("late");
  });

  it("lasts over a restart, and the handle stays good", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await queue.send("x");
    const [message] = await queue.receive({ VisibilityTimeout: 300 });
    await cloud.restart();
    expect(await queue.receive()).toEqual([]);
    await queue.remove(message);
    cloud.advance(301_000);
    expect(await queue.receive()).toEqual([]);
  });
});

describe("deleting from a standard queue", () => {
  it("is a success with an old handle, but leaves the message", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await queue.send("x");
    const [old] = await queue.receive({ VisibilityTimeout: 0 });
    const [current] = await queue.receive({ VisibilityTimeout: 0 });
    await queue.remove(old);
    expect(await queue.bodies({ VisibilityTimeout: 0 })).toEqual(["x"]);
    expect(current?.ReceiptHandle).not.toBe(old?.ReceiptHandle);
  });

  it("is a success for what is gone", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await queue.send("x");
    const [message] = await queue.receive();
    await queue.remove(message);
    await queue.remove(message);
    expect(await queue.attribute("ApproximateNumberOfMessagesNotVisible")).toBe("0");
  });
});

describe("long polling", () => {
  it("answers as soon as a message arrives", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const receiving = queue.bodies({ WaitTimeSeconds: 20 });
    await queue.send("x");
    expect(await receiving).toEqual(["x"]);
  });

  it("answers with nothing when the time is over", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const start = performance.now();
    expect(await queue.bodies({ WaitTimeSeconds: 1 })).toEqual([]);
    expect(performance.now() - start).toBeGreaterThan(950);
  });

  it("waits as the queue says when the request does not", async () => {
    const queue = await createTestQueue(cloud, "standard", { ReceiveMessageWaitTimeSeconds: "20" });
    const receiving = queue.bodies();
    await queue.send("x");
    expect(await receiving).toEqual(["x"]);
  });

  it("answers when a message becomes visible again or its group is unlocked", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    await queue.send("1", { MessageGroupId: "g" });
    await queue.send("2", { MessageGroupId: "g" });
    const [first] = await queue.receive({ MaxNumberOfMessages: 1, VisibilityTimeout: 1 });
    expect(first?.Body).toBe("1");
    const [again] = await queue.receive({ MaxNumberOfMessages: 1, WaitTimeSeconds: 20 });
    expect(again?.Body).toBe("1");
    const receiving = queue.bodies({ WaitTimeSeconds: 20 });
    await queue.remove(again);
    expect(await receiving).toEqual(["2"]);
  });

  it("gives each message to one of those who wait", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const waiting = [1, 2, 3].map(() => queue.bodies({ WaitTimeSeconds: 20, MaxNumberOfMessages: 1 }));
    await Promise.all(["a", "b", "c"].map((body) => queue.send(body)));
    const received = (await Promise.all(waiting)).flat();
    expect(received).toHaveLength(3);
    expect(new Set(received)).toEqual(new Set(["a", "b", "c"]));
  });

  it("loses nothing to a client that went away while it waited", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const client = await askForMessages(queue, 20);
    // The answer shows that the cloud has read the request before this one, too.
    await queue.attribute("QueueArn");
    client.destroy();
    await once(client, "close");
    await queue.attribute("QueueArn");
    await queue.send("x");
    const [message] = await queue.receive({ MessageSystemAttributeNames: ["ApproximateReceiveCount"] });
    expect(message).toMatchObject({ Body: "x", Attributes: { ApproximateReceiveCount: "1" } });
  });

  it("takes back what it could not send, without counting it as received", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await Promise.all(Array.from({ length: 50 }, (_, index) => queue.send(`${index}`)));
    for (let client = 0; client < 20; client += 1) (await askForMessages(queue, 0)).destroy();
    const counts = async () => [
      await queue.attribute("ApproximateNumberOfMessages"),
      await queue.attribute("ApproximateNumberOfMessagesNotVisible"),
    ];
    await vi.waitFor(async () => expect(await counts()).toEqual(["50", "0"]), { timeout: 5_000 });
    const [message] = await queue.receive({ MessageSystemAttributeNames: ["ApproximateReceiveCount"] });
    expect(message?.Attributes).toEqual({ ApproximateReceiveCount: "1" });
  });
});

/** Sends a signed receive on a connection of its own and leaves the answer to come. */
async function askForMessages(queue: TestQueue, WaitTimeSeconds: number): Promise<Socket> {
  const input = { QueueUrl: queue.url, MaxNumberOfMessages: 10, VisibilityTimeout: 600, WaitTimeSeconds };
  const command = new ReceiveMessageCommand(input);
  let signed: { headers: Record<string, string>; body: string } = { headers: {}, body: "" };
  command.middlewareStack.add(
    () => (args) => {
      signed = args.request as typeof signed;
      return Promise.resolve({ response: {}, output: { $metadata: {} } });
    },
    { step: "finalizeRequest", priority: "low" },
  );
  await cloud.sqs.send(command);
  const { hostname, port } = new URL(cloud.endpoint);
  const lines = Object.entries(signed.headers).map(([name, value]) => `${name}: ${value}`);
  const client = connect({ host: hostname, port: Number(port) });
  await once(client, "connect");
  await new Promise((resolve) => client.write(["POST / HTTP/1.1", ...lines, "", signed.body].join("\r\n"), resolve));
  return client;
}

describe("batches", () => {
  it("send, hide and delete each entry by itself", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    const sent = await cloud.sqs.send(
      new SendMessageBatchCommand({
        QueueUrl: queue.url,
        Entries: [
          { Id: "good", MessageBody: "1", MessageGroupId: "g" },
          { Id: "no-group", MessageBody: "2" },
          { Id: "too", MessageBody: "3", MessageGroupId: "g" },
        ],
      }),
    );
    expect(sent.Successful?.map(({ Id }) => Id)).toEqual(["good", "too"]);
    expect(sent.Failed).toMatchObject([{ Id: "no-group", SenderFault: true, Code: "MissingParameter" }]);
    const messages = await queue.receive();
    expect(messages.map(({ Body }) => Body)).toEqual(["1", "3"]);

    const [ReceiptHandle] = messages.map((message) => message.ReceiptHandle);
    const Entries = [
      { Id: "a", ReceiptHandle, VisibilityTimeout: 600 },
      { Id: "b", ReceiptHandle: "nonsense", VisibilityTimeout: 600 },
    ];
    const hidden = await cloud.sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: queue.url, Entries }));
    expect([hidden.Successful?.length, hidden.Failed?.[0]?.Code]).toEqual([1, "ReceiptHandleIsInvalid"]);

    const handles = messages.map((message, index) => ({ Id: `${index}`, ReceiptHandle: message.ReceiptHandle }));
    const deleted = await cloud.sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queue.url, Entries: handles }));
    expect(deleted.Successful?.length).toBe(2);
    expect(await queue.attribute("ApproximateNumberOfMessagesNotVisible")).toBe("0");
  });

  it.each([
    ["EmptyBatchRequest", []],
    ["TooManyEntriesInBatchRequest", Array.from({ length: 11 }, (_, index) => ({ Id: `${index}`, MessageBody: "x" }))],
    [
      "BatchEntryIdsNotDistinct",
      [
        { Id: "a", MessageBody: "x" },
        { Id: "a", MessageBody: "y" },
      ],
    ],
    ["InvalidBatchEntryId", [{ Id: "a b", MessageBody: "x" }]],
    ["BatchRequestTooLong", ["a", "b"].map((Id) => ({ Id, MessageBody: Id.repeat(600_000) }))],
  ])("are refused as a whole with %s", async (name, Entries) => {
    const queue = await createTestQueue(cloud, "standard");
    const sending = cloud.sqs.send(new SendMessageBatchCommand({ QueueUrl: queue.url, Entries }));
    await expect(sending).rejects.toMatchObject({ name });
    expect(await queue.attribute("ApproximateNumberOfMessages")).toBe("0");
  });
});

describe("dead letters", () => {
  it.each(["fifo", "standard"] as const)("leave a %s queue after the last allowed receive", async (kind) => {
    const dead = await createTestQueue(cloud, kind);
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
    const queue = await createTestQueue(cloud, kind, { RedrivePolicy });
    const input = kind === "fifo" ? { MessageGroupId: "g" } : {};
    await queue.send("poison", input);
    await queue.send("good", input);
    for (const _ of [1, 2]) {
      await queue.receive({ MaxNumberOfMessages: 1, VisibilityTimeout: 0 });
      if (kind === "standard") await queue.receive({ MaxNumberOfMessages: 1, VisibilityTimeout: 0 });
    }
    if (kind === "fifo") expect(await queue.bodies()).toEqual(["good"]);
    else expect(await queue.bodies()).toEqual([]);
    const [message] = await dead.receive({ MessageSystemAttributeNames: ["All"], VisibilityTimeout: 0 });
    expect(message).toMatchObject({
      Body: "poison",
      Attributes: { DeadLetterQueueSourceArn: queue.arn, ApproximateReceiveCount: "1" },
    });
    await cloud.restart();
    expect(await dead.bodies({ MaxNumberOfMessages: 1 })).toEqual(["poison"]);
  });

  it("need a queue that exists and is of the same type", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    const standard = await createTestQueue(cloud, "standard");
    for (const deadLetterTargetArn of [standard.arn, `${standard.arn}-missing.fifo`]) {
      const Attributes = { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 2 }) };
      const setting = cloud.sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes }));
      await expect(setting).rejects.toMatchObject({ name: "InvalidParameterValue" });
    }
  });
});

describe("retention", () => {
  it("removes messages when their time is over, over a restart too", async () => {
    const queue = await createTestQueue(cloud, "standard", { MessageRetentionPeriod: "60" });
    await queue.send("old");
    cloud.advance(40_000);
    await queue.send("young");
    cloud.advance(30_000);
    expect(await queue.bodies({ VisibilityTimeout: 0 })).toEqual(["young"]);
    await cloud.restart();
    expect(await queue.bodies({ VisibilityTimeout: 0 })).toEqual(["young"]);
    cloud.advance(31_000);
    expect(await queue.bodies()).toEqual([]);
  });
});
