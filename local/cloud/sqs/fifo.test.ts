import { ChangeMessageVisibilityCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { createTestQueue } from "./test-queue.ts";
import type { TestQueue } from "./test-queue.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

const group = (MessageGroupId: string, MessageDeduplicationId?: string) => ({ MessageGroupId, MessageDeduplicationId });

async function sendAll(queue: TestQueue, groupId: string, bodies: string[]) {
  for (const body of bodies) await queue.send(body, group(groupId));
}

describe("order and groups", () => {
  it("gives several messages of one group in one receive, in the order of sending", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    await sendAll(queue, "a", ["1", "2", "3"]);
    expect(await queue.bodies()).toEqual(["1", "2", "3"]);
  });

  it("gives nothing of a group while one of its messages is in flight, and the other groups meanwhile", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    await sendAll(queue, "a", ["a1", "a2"]);
    await sendAll(queue, "b", ["b1"]);
    const [first] = await queue.receive({ MaxNumberOfMessages: 1 });
    expect(first?.Body).toBe("a1");
    expect(await queue.bodies()).toEqual(["b1"]);
    expect(await queue.bodies()).toEqual([]);
    await queue.remove(first);
    expect(await queue.bodies()).toEqual(["a2"]);
  });

  it("keeps a group locked until every message of a receive is deleted or given back", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    await sendAll(queue, "a", ["1", "2", "3"]);
    const [one, two] = await queue.receive({ MaxNumberOfMessages: 2 });
    await queue.remove(one);
    expect(await queue.bodies()).toEqual([]);
    await queue.remove(two);
    expect(await queue.bodies()).toEqual(["3"]);
  });

  it("keeps a group locked while a later message is in flight, though an earlier one was given back", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    await sendAll(queue, "a", ["1", "2"]);
    const [one, two] = await queue.receive();
    const { ReceiptHandle } = one ?? {};
    await cloud.sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout: 0 }),
    );
    expect(await queue.bodies()).toEqual([]);
    await queue.remove(two);
    expect(await queue.bodies()).toEqual(["1"]);
  });

  it("gives a message again, before those behind it, when its visibility runs out", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    await sendAll(queue, "a", ["1", "2"]);
    expect(await queue.bodies({ MaxNumberOfMessages: 1, VisibilityTimeout: 60 })).toEqual(["1"]);
    cloud.advance(59_000);
    expect(await queue.bodies()).toEqual([]);
    cloud.advance(1_500);
    expect(await queue.bodies()).toEqual(["1", "2"]);
  });

  it("unlocks the group at once when visibility is set to zero", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    await sendAll(queue, "a", ["1", "2"]);
    const [message] = await queue.receive({ MaxNumberOfMessages: 1 });
    const { ReceiptHandle } = message ?? {};
    await cloud.sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl: queue.url, ReceiptHandle, VisibilityTimeout: 0 }),
    );
    expect(await queue.bodies()).toEqual(["1", "2"]);
  });

  it("serves groups in turn", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    await sendAll(queue, "a", ["a1", "a2", "a3"]);
    await sendAll(queue, "b", ["b1"]);
    const [first] = await queue.receive({ MaxNumberOfMessages: 1 });
    await queue.remove(first);
    expect(await queue.bodies({ MaxNumberOfMessages: 1 })).toEqual(["b1"]);
  });

  it("holds every message back for the queue's delay", async () => {
    const queue = await createTestQueue(cloud, "fifo", { DelaySeconds: "10" });
    await sendAll(queue, "a", ["1"]);
    expect(await queue.attribute("ApproximateNumberOfMessagesDelayed")).toBe("1");
    expect(await queue.bodies()).toEqual([]);
    cloud.advance(10_500);
    expect(await queue.bodies()).toEqual(["1"]);
  });
});

describe("deduplication", () => {
  it("answers a repeated id with the first message for five minutes, also after its deletion", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    const first = await queue.send("one", group("a", "id"));
    const again = await queue.send("another body", group("a", "id"));
    expect([again.MessageId, again.SequenceNumber]).toEqual([first.MessageId, first.SequenceNumber]);
    const [message, ...others] = await queue.receive();
    expect(others).toEqual([]);
    await queue.remove(message);
    cloud.advance(4 * 60_000);
    await queue.send("one", group("a", "id"));
    expect(await queue.bodies()).toEqual([]);
    cloud.advance(61_000);
    expect((await queue.send("one", group("a", "id"))).MessageId).not.toBe(first.MessageId);
    expect(await queue.bodies()).toEqual(["one"]);
  });

  it("takes the body for the id with content-based deduplication, whatever the group", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    const first = await queue.send("same", group("a"));
    const second = await queue.send("same", group("b"));
    expect(second.MessageId).toBe(first.MessageId);
    expect(await queue.bodies()).toEqual(["same"]);
  });

  it("looks at each group by itself with DeduplicationScope messageGroup", async () => {
    const queue = await createTestQueue(cloud, "fifo", { DeduplicationScope: "messageGroup" });
    await queue.send("same", group("a"));
    await queue.send("same", group("b"));
    await queue.send("same", group("b"));
    expect(await queue.bodies()).toEqual(["same", "same"]);
  });

  it("lets one of many concurrent sends of the same message through", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    const sends = await Promise.all(Array.from({ length: 20 }, () => queue.send("same", group("a"))));
    expect(new Set(sends.map(({ MessageId }) => MessageId)).size).toBe(1);
    expect(await queue.bodies()).toEqual(["same"]);
  });

  it("remembers ids, deletions and the sequence over a restart", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    const first = await queue.send("one", group("a", "id"));
    await queue.remove((await queue.receive())[0]);
    await cloud.restart();
    expect((await queue.send("one", group("a", "id"))).MessageId).toBe(first.MessageId);
    expect(await queue.bodies()).toEqual([]);
    const second = await queue.send("two", group("a"));
    expect(BigInt(second.SequenceNumber ?? 0)).toBeGreaterThan(BigInt(first.SequenceNumber ?? 0));
  });
});

describe("refusals", () => {
  it("refuses a message without a group, without an id, or with a delay of its own", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    await expect(queue.send("x")).rejects.toMatchObject({ name: "MissingParameter" });
    await expect(queue.send("x", { ...group("a"), DelaySeconds: 5 })).rejects.toMatchObject({
      name: "InvalidParameterValue",
    });
    const Attributes = { ContentBasedDeduplication: "false" };
    await cloud.sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes }));
    await expect(queue.send("x", group("a"))).rejects.toMatchObject({ name: "InvalidParameterValue" });
    await expect(queue.send("x", group("white space", "id"))).rejects.toMatchObject({ name: "InvalidParameterValue" });
  });

  it("refuses to delete with a handle whose visibility has run out", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    await queue.send("x", group("a"));
    const [message] = await queue.receive({ VisibilityTimeout: 30 });
    cloud.advance(31_000);
    await expect(queue.remove(message)).rejects.toMatchObject({
      name: "InvalidParameterValue",
      message: expect.stringContaining("expired"),
    });
    expect(await queue.bodies()).toEqual(["x"]);
  });
});
