import { afterAll, beforeAll, expect, it } from "vitest";
import { ChangeMessageVisibilityCommand } from "@aws-sdk/client-sqs";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { createTestQueue } from "./test-queue.ts";

let cloud: TestCloud;
beforeAll(async () => {
  cloud = await startTestCloud();
});
afterAll(() => cloud.dispose());

const ReceiveRequestAttemptId = "attempt-1";

async function queueWith(...bodies: string[]) {
  const queue = await createTestQueue(cloud, "fifo");
  for (const body of bodies) await queue.send(body, { MessageGroupId: "a" });
  return queue;
}

it("gives a repeated attempt the same messages with the same handles, also after a restart", async () => {
  const queue = await queueWith("1", "2", "3");
  const first = await queue.receive({ ReceiveRequestAttemptId, MaxNumberOfMessages: 2 });
  expect(first.map(({ Body }) => Body)).toEqual(["1", "2"]);
  expect(await queue.receive({ ReceiveRequestAttemptId, MaxNumberOfMessages: 2 })).toEqual(first);
  await cloud.restart();
  expect(await queue.receive({ ReceiveRequestAttemptId, MaxNumberOfMessages: 2 })).toEqual(first);
  expect(await queue.bodies({ ReceiveRequestAttemptId: "another" })).toEqual([]);
  expect(await queue.bodies()).toEqual([]);
  for (const message of first) await queue.remove(message);
  expect(await queue.bodies()).toEqual(["3"]);
});

it("counts the visibility from the repetition on", async () => {
  const queue = await queueWith("1");
  await queue.receive({ ReceiveRequestAttemptId, VisibilityTimeout: 60 });
  cloud.advance(40_000);
  const [again] = await queue.receive({ ReceiveRequestAttemptId, VisibilityTimeout: 60 });
  expect(again?.Body).toBe("1");
  cloud.advance(40_000);
  expect(await queue.bodies()).toEqual([]);
  await queue.remove(again);
});

it("receives anew when something was deleted, given back or ran out since", async () => {
  const queue = await queueWith("1", "2");
  const [one] = await queue.receive({ ReceiveRequestAttemptId });
  await queue.remove(one);
  expect(await queue.bodies({ ReceiveRequestAttemptId })).toEqual([]);

  const other = await queueWith("3");
  const [three] = await other.receive({ ReceiveRequestAttemptId });
  const { ReceiptHandle } = three ?? {};
  const input = { QueueUrl: other.url, ReceiptHandle, VisibilityTimeout: 0 };
  await cloud.sqs.send(new ChangeMessageVisibilityCommand(input));
  const [again] = await other.receive({ ReceiveRequestAttemptId, VisibilityTimeout: 10 });
  expect(again?.ReceiptHandle).not.toBe(ReceiptHandle);
  cloud.advance(11_000);
  const [later] = await other.receive({ ReceiveRequestAttemptId });
  expect(later?.ReceiptHandle).not.toBe(again?.ReceiptHandle);
});

it("forgets an attempt after five minutes", async () => {
  const queue = await queueWith("1", "2");
  const input = { ReceiveRequestAttemptId, MaxNumberOfMessages: 1, VisibilityTimeout: 3600 };
  await queue.receive(input);
  cloud.advance(200_000);
  await queue.send("b", { MessageGroupId: "b" });
  await queue.receive({ ...input, ReceiveRequestAttemptId: "later" });
  expect(await queue.bodies(input)).toEqual(["1"]);
  cloud.advance(101_000);
  expect(await queue.bodies({ ReceiveRequestAttemptId })).toEqual([]);
});

it("gives all of several concurrent attempts with one id the same", async () => {
  const queue = await queueWith("1");
  const waiting = [1, 2, 3].map(() => queue.receive({ ReceiveRequestAttemptId: "same", WaitTimeSeconds: 5 }));
  const handles = (await Promise.all(waiting)).map(([message]) => message?.ReceiptHandle);
  expect(handles[0]).toBeDefined();
  expect(new Set(handles).size).toBe(1);
});

it("is refused by standard queues, and when it is no identifier", async () => {
  const standard = await createTestQueue(cloud, "standard");
  await expect(standard.receive({ ReceiveRequestAttemptId })).rejects.toMatchObject({ name: "InvalidParameterValue" });
  const fifo = await queueWith();
  const receiving = fifo.receive({ ReceiveRequestAttemptId: "white space" });
  await expect(receiving).rejects.toMatchObject({ name: "InvalidParameterValue" });
});
