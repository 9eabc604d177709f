import {
  CancelMessageMoveTaskCommand,
  ListDeadLetterSourceQueuesCommand,
  ListMessageMoveTasksCommand,
  StartMessageMoveTaskCommand,
} from "@aws-sdk/client-sqs";
import type { StartMessageMoveTaskCommandInput } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { createTestQueue } from "./test-queue.ts";
import type { TestQueue } from "./test-queue.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

/** A queue whose messages go to a dead-letter queue after one receive. */
async function setUp(kind: "fifo" | "standard") {
  const dead = await createTestQueue(cloud, kind);
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 1 });
  const source = await createTestQueue(cloud, kind, { RedrivePolicy, VisibilityTimeout: "0" });
  const group = kind === "fifo" ? { MessageGroupId: "a" } : {};
  return {
    dead,
    source,
    group,
    kill: async (...bodies: string[]) => {
      for (const body of bodies) await source.send(body, group);
      while ((await source.receive({ MessageSystemAttributeNames: ["All"] })).length > 0);
    },
  };
}

const start = (dead: TestQueue, input: Partial<StartMessageMoveTaskCommandInput> = {}) =>
  cloud.sqs.send(new StartMessageMoveTaskCommand({ SourceArn: dead.arn, ...input }));

async function tasks(dead: TestQueue, MaxResults = 1) {
  const { Results } = await cloud.sqs.send(new ListMessageMoveTasksCommand({ SourceArn: dead.arn, MaxResults }));
  return Results;
}

it.each(["fifo", "standard"] as const)(
  "brings dead letters back to where they came from (%s), in order",
  async (kind) => {
    const { dead, source, kill } = await setUp(kind);
    await kill("1", "2", "3");
    expect(await dead.attribute("ApproximateNumberOfMessages")).toBe("3");
    await start(dead);
    await expect
      .poll(() => tasks(dead))
      .toMatchObject([
        {
          Status: "COMPLETED",
          SourceArn: dead.arn,
          ApproximateNumberOfMessagesMoved: 3,
          ApproximateNumberOfMessagesToMove: 3,
          StartedTimestamp: expect.any(Number),
        },
      ]);
    const back = await source.receive({ VisibilityTimeout: 30, MessageSystemAttributeNames: ["All"] });
    expect(back.map(({ Body }) => Body)).toEqual(["1", "2", "3"]);
    expect(back[0]?.Attributes).toMatchObject({ ApproximateReceiveCount: "1" });
    expect(back[0]?.Attributes).not.toHaveProperty("DeadLetterQueueSourceArn");
  },
);

it("moves them to another queue where it is told to", async () => {
  const { dead, kill } = await setUp("standard");
  const other = await createTestQueue(cloud, "standard");
  await kill("1");
  await start(dead, { DestinationArn: other.arn });
  expect(await other.bodies({ WaitTimeSeconds: 5 })).toEqual(["1"]);
  expect(await tasks(dead)).toMatchObject([{ DestinationArn: other.arn }]);
});

it("keeps to the rate, goes on after a restart, and stops when it is cancelled", async () => {
  const { dead, kill } = await setUp("standard");
  await kill("1", "2", "3", "4", "5");
  const { TaskHandle } = await start(dead, { MaxNumberOfMessagesPerSecond: 1 });
  await expect(start(dead)).rejects.toMatchObject({ name: "UnsupportedOperation" });
  const moved = async () => (await tasks(dead))?.[0]?.ApproximateNumberOfMessagesMoved;
  await expect.poll(moved).toBe(1);
  await cloud.restart();
  await expect.poll(moved, { timeout: 3_000 }).toBe(2);
  expect(await tasks(dead)).toMatchObject([{ TaskHandle, Status: "RUNNING", MaxNumberOfMessagesPerSecond: 1 }]);
  await cloud.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
  expect(await tasks(dead)).toMatchObject([{ Status: "CANCELLED" }]);
  await expect(cloud.sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }))).rejects.toMatchObject({
    name: "UnsupportedOperation",
  });
  expect(Number(await dead.attribute("ApproximateNumberOfMessages"))).toBeGreaterThanOrEqual(2);
});

it("fails at a message that came from nowhere, and leaves it where it is", async () => {
  const { dead, kill } = await setUp("standard");
  await kill("1");
  await dead.send("sent here");
  await start(dead);
  await expect
    .poll(() => tasks(dead))
    .toMatchObject([{ Status: "FAILED", FailureReason: "CouldNotDetermineMessageSource" }]);
  expect(await dead.bodies()).toEqual(["sent here"]);
});

it("is refused for queues that are no dead-letter queues, and for destinations that cannot be", async () => {
  const { dead, source } = await setUp("standard");
  const fifo = await createTestQueue(cloud, "fifo");
  await expect(start(source)).rejects.toMatchObject({ name: "InvalidParameterValue" });
  await expect(start(dead, { DestinationArn: fifo.arn })).rejects.toMatchObject({ name: "InvalidParameterValue" });
  await expect(start(dead, { DestinationArn: dead.arn })).rejects.toMatchObject({ name: "InvalidParameterValue" });
  const missing = `${dead.arn}-missing`;
  await expect(start(dead, { DestinationArn: missing })).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  await expect(start(dead, { SourceArn: missing })).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  const cancel = new CancelMessageMoveTaskCommand({ TaskHandle: "none" });
  await expect(cloud.sqs.send(cancel)).rejects.toMatchObject({ name: "ResourceNotFoundException" });
});

it("a dead-letter queue knows its sources", async () => {
  const { dead, source } = await setUp("standard");
  const list = (QueueUrl: string) => cloud.sqs.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl }));
  expect((await list(dead.url)).queueUrls).toEqual([source.url]);
  expect((await list(source.url)).queueUrls).toEqual([]);
});
