import {
  AddPermissionCommand,
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  PurgeQueueCommand,
  SetQueueAttributesCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { createTestQueue } from "./test-queue.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

const create = (QueueName: string, Attributes: Record<string, string> = {}) =>
  cloud.sqs.send(new CreateQueueCommand({ QueueName, Attributes }));

describe("creating a queue", () => {
  it("gives a URL with the host that the client called", async () => {
    const { QueueUrl } = await create("named");
    expect(QueueUrl).toBe(`${cloud.endpoint}/000000000000/named`);
    expect((await cloud.sqs.send(new GetQueueUrlCommand({ QueueName: "named" }))).QueueUrl).toBe(QueueUrl);
  });

  it("is idempotent while no attribute differs", async () => {
    await create("again", { VisibilityTimeout: "40" });
    await create("again");
    await create("again", { VisibilityTimeout: "40", DelaySeconds: "0" });
    await expect(create("again", { VisibilityTimeout: "41" })).rejects.toMatchObject({ name: "QueueNameExists" });
  });

  it.each([
    ["spaces in the name", "a b", {}, "InvalidParameterValue"],
    ["a name of 81 characters", "x".repeat(81), {}, "InvalidParameterValue"],
    ["a FIFO name without the attribute", "a.fifo", {}, "InvalidParameterValue"],
    ["the FIFO attribute without the name", "a", { FifoQueue: "true" }, "InvalidParameterValue"],
    ["an attribute that does not exist", "a", { Colour: "blue" }, "InvalidAttributeName"],
    ["a FIFO attribute on a standard queue", "a", { ContentBasedDeduplication: "true" }, "InvalidAttributeName"],
    ["a value out of range", "a", { VisibilityTimeout: "43201" }, "InvalidAttributeValue"],
    ["a policy that is no JSON", "a", { RedrivePolicy: "{" }, "InvalidAttributeValue"],
  ])("is refused with %s", async (_, name, attributes, error) => {
    await expect(create(name, attributes)).rejects.toMatchObject({ name: error });
  });
});

describe("a queue", () => {
  it("keeps its attributes over a restart", async () => {
    const queue = await createTestQueue(cloud, "standard", { VisibilityTimeout: "77" });
    const Attributes = { DelaySeconds: "3" };
    await cloud.sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes }));
    await cloud.restart();
    expect(await queue.attribute("VisibilityTimeout")).toBe("77");
    expect(await queue.attribute("DelaySeconds")).toBe("3");
    expect(await queue.attribute("QueueArn")).toBe(queue.arn);
  });

  it("gives the attributes that are asked for", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const get = (AttributeNames: string[]) =>
      cloud.sqs.send(new GetQueueAttributesCommand({ QueueUrl: queue.url, AttributeNames: AttributeNames as ["All"] }));
    expect((await get(["DelaySeconds"])).Attributes).toEqual({ DelaySeconds: "0" });
    expect((await get([])).Attributes).toBeUndefined();
    await expect(get(["Colour"])).rejects.toMatchObject({ name: "InvalidAttributeName" });
  });

  it("counts what is available, in flight and delayed", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await Promise.all([queue.send("a"), queue.send("b"), queue.send("c", { DelaySeconds: 900 })]);
    await queue.receive({ MaxNumberOfMessages: 1 });
    expect(await queue.attribute("ApproximateNumberOfMessages")).toBe("1");
    expect(await queue.attribute("ApproximateNumberOfMessagesNotVisible")).toBe("1");
    expect(await queue.attribute("ApproximateNumberOfMessagesDelayed")).toBe("1");
    const status = await (await fetch(`${cloud.endpoint}/_status`)).json();
    const expected = { name: queue.name, depth: 1, delayed: 1, inFlight: 1, oldestSentAt: expect.any(Number) };
    expect(status).toMatchObject({ queues: expect.arrayContaining([expected]) });
  });

  it("is empty after a purge, and may be purged again after a minute", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await queue.send("a");
    const purge = () => cloud.sqs.send(new PurgeQueueCommand({ QueueUrl: queue.url }));
    await purge();
    expect(await queue.receive()).toEqual([]);
    await expect(purge()).rejects.toMatchObject({ name: "PurgeQueueInProgress" });
    cloud.advance(60_000);
    await purge();
  });

  it("is gone after its deletion, and its name is free after a minute", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await queue.send("a");
    await cloud.sqs.send(new DeleteQueueCommand({ QueueUrl: queue.url }));
    await expect(queue.receive()).rejects.toMatchObject({ name: "QueueDoesNotExist" });
    await expect(create(queue.name)).rejects.toMatchObject({ name: "QueueDeletedRecently" });
    cloud.advance(60_000);
    await create(queue.name);
    expect(await queue.receive()).toEqual([]);
  });
});

it("lists queues by prefix and in pages", async () => {
  for (const name of ["list-c", "list-a", "list-b"]) await create(name);
  const list = async (input: { MaxResults?: number; NextToken?: string | undefined }) => {
    const answer = await cloud.sqs.send(new ListQueuesCommand({ QueueNamePrefix: "list-", ...input }));
    return { names: answer.QueueUrls?.map((url) => url.split("/").at(-1)), token: answer.NextToken };
  };
  expect(await list({})).toEqual({ names: ["list-a", "list-b", "list-c"], token: undefined });
  const first = await list({ MaxResults: 2 });
  expect(first.names).toEqual(["list-a", "list-b"]);
  expect(await list({ MaxResults: 2, NextToken: first.token })).toEqual({ names: ["list-c"], token: undefined });
});

it("keeps tags, from the creation on and over a restart", async () => {
  await cloud.sqs.send(new CreateQueueCommand({ QueueName: "tagged", tags: { stage: "test" } }));
  const QueueUrl = () => `${cloud.endpoint}/000000000000/tagged`;
  const tags = async () => (await cloud.sqs.send(new ListQueueTagsCommand({ QueueUrl: QueueUrl() }))).Tags;
  expect(await tags()).toEqual({ stage: "test" });
  await cloud.sqs.send(new TagQueueCommand({ QueueUrl: QueueUrl(), Tags: { owner: "me" } }));
  await cloud.restart();
  expect(await tags()).toEqual({ stage: "test", owner: "me" });
  await cloud.sqs.send(new UntagQueueCommand({ QueueUrl: QueueUrl(), TagKeys: ["stage", "owner", "other"] }));
  expect(await tags()).toBeUndefined();
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`tag-${index}`, ""]));
  const tooMany = cloud.sqs.send(new TagQueueCommand({ QueueUrl: QueueUrl(), Tags: many }));
  await expect(tooMany).rejects.toMatchObject({ name: "InvalidParameterValue" });
});

it("says that it does not know an action that it does not have", async () => {
  const queue = await createTestQueue(cloud, "standard");
  const permission = { Label: "a", AWSAccountIds: ["000000000000"], Actions: ["SendMessage"] };
  const asking = cloud.sqs.send(new AddPermissionCommand({ QueueUrl: queue.url, ...permission }));
  await expect(asking).rejects.toMatchObject({ name: "InvalidAction", $metadata: { httpStatusCode: 400 } });
});
