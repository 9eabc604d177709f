import { SetQueueAttributesCommand, CreateQueueCommand, DeleteQueueCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestQueue } from "../sqs/test-queue.ts";
import type { TestQueue } from "../sqs/test-queue.ts";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { at, schedulesOf, targetOf } from "./test-schedules.ts";

const HOUR_MS = 3_600_000;

let cloud: TestCloud;
let schedules: ReturnType<typeof schedulesOf>;
beforeAll(async () => {
  cloud = await startTestCloud();
  schedules = schedulesOf(cloud);
});
afterAll(() => cloud.dispose());

const now = () => Date.now() + (cloud.scheduler.config.systemClockOffset ?? 0);

/** The bodies that arrive, at least `count`. */
async function arrivals(queue: TestQueue, count = 1): Promise<string[]> {
  const bodies: string[] = [];
  const deadline = Date.now() + 10_000;
  while (bodies.length < count && Date.now() < deadline) {
    for (const message of await queue.receive({ WaitTimeSeconds: 1 })) {
      bodies.push(message.Body ?? "");
      await queue.remove(message);
    }
  }
  return bodies;
}

/** Nothing of what is due now will come any more once a schedule that is due later has come. */
async function nothingMore(queue: TestQueue): Promise<void> {
  const marker = await createTestQueue(cloud, "standard");
  await schedules.create({ ScheduleExpression: at(now() - 1000), Target: targetOf(marker, "marker") });
  expect(await arrivals(marker)).toEqual(["marker"]);
  expect(await queue.bodies()).toEqual([]);
}

describe("a one-time schedule", () => {
  it("puts its input into a FIFO queue when its time has come, and then it is done", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    const name = await schedules.create({
      ScheduleExpression: at(now() + HOUR_MS),
      Target: targetOf(queue, "hello", { SqsParameters: { MessageGroupId: "device-1" } }),
    });
    await nothingMore(queue);
    cloud.advance(HOUR_MS);
    const [message] = await queue.receive({ WaitTimeSeconds: 5, MessageSystemAttributeNames: ["All"] });
    expect(message?.Body).toBe("hello");
    expect(message?.Attributes?.MessageGroupId).toBe("device-1");
    await queue.remove(message);
    cloud.advance(HOUR_MS);
    await nothingMore(queue);
    expect((await schedules.get(name)).State).toBe("ENABLED");
  });

  it("is deleted with the message when that is asked for", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const ActionAfterCompletion = "DELETE";
    const name = await schedules.create({
      ScheduleExpression: at(now() + HOUR_MS),
      ActionAfterCompletion,
      Target: targetOf(queue, "x"),
    });
    expect(await schedules.exists(name)).toBe(true);
    cloud.advance(HOUR_MS);
    expect(await arrivals(queue)).toEqual(["x"]);
    expect(await schedules.exists(name)).toBe(false);
  });

  it("is due in its zone", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const jakarta = now() + 7 * HOUR_MS;
    await schedules.create({
      ScheduleExpression: at(jakarta + HOUR_MS),
      ScheduleExpressionTimezone: "Asia/Jakarta",
      Target: targetOf(queue, "x"),
    });
    await nothingMore(queue);
    cloud.advance(HOUR_MS);
    expect(await arrivals(queue)).toEqual(["x"]);
  });

  it("of a past time is due at once", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await schedules.create({ ScheduleExpression: "at(2020-01-01T00:00:00)", Target: targetOf(queue, "late") });
    expect(await arrivals(queue)).toEqual(["late"]);
  });

  it("is invoked once after a time in which nobody was there", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await schedules.create({ ScheduleExpression: at(now() + HOUR_MS), Target: targetOf(queue, "overdue") });
    // The cloud hears of the time only after its start.
    const restarting = cloud.restart();
    cloud.advance(3 * HOUR_MS);
    await restarting;
    cloud.advance(0);
    expect(await arrivals(queue)).toEqual(["overdue"]);
    await cloud.restart();
    await nothingMore(queue);
  });

  it("does nothing while it is disabled, and what is overdue once it is enabled", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const given = { ScheduleExpression: at(now() + HOUR_MS), Target: targetOf(queue, "x") };
    const name = await schedules.create({ ...given, State: "DISABLED" });
    cloud.advance(2 * HOUR_MS);
    await nothingMore(queue);
    await schedules.update(name, given);
    expect(await arrivals(queue)).toEqual(["x"]);
  });

  it("is not invoked again by an update that leaves its time as it is", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const given = { ScheduleExpression: at(now() - HOUR_MS), Target: targetOf(queue, "x") };
    const name = await schedules.create(given);
    expect(await arrivals(queue)).toEqual(["x"]);
    await schedules.update(name, { ...given, Description: "done" });
    await nothingMore(queue);
    await schedules.update(name, { ...given, ScheduleExpression: at(now() + HOUR_MS) });
    await nothingMore(queue);
    cloud.advance(HOUR_MS);
    expect(await arrivals(queue)).toEqual(["x"]);
  });

  it("is not invoked once it is deleted", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const name = await schedules.create({ ScheduleExpression: at(now() + HOUR_MS), Target: targetOf(queue, "x") });
    await schedules.remove(name);
    cloud.advance(HOUR_MS);
    await nothingMore(queue);
  });

  it("waits for years without a timer that overflows", async () => {
    const queue = await createTestQueue(cloud, "standard");
    await schedules.create({ ScheduleExpression: at(now() + 90 * 24 * HOUR_MS), Target: targetOf(queue, "far") });
    await nothingMore(queue);
    cloud.advance(90 * 24 * HOUR_MS);
    expect(await arrivals(queue)).toEqual(["far"]);
  });
});

describe("schedules of one FIFO group", () => {
  it("put their messages in the order in which they are due", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    const order = [7, 3, 9, 1, 5, 8, 2, 6, 4, 0];
    for (const minute of order) {
      const ScheduleExpression = at(now() + HOUR_MS + minute * 60_000);
      await schedules.create({ ScheduleExpression, Target: targetOf(queue, `minute ${minute}`) });
    }
    cloud.advance(2 * HOUR_MS);
    const sorted = order.toSorted((a, b) => a - b);
    expect(await arrivals(queue, order.length)).toEqual(sorted.map((minute) => `minute ${minute}`));
  });

  it("make one message of the same input within five minutes, because the queue deduplicates", async () => {
    const queue = await createTestQueue(cloud, "fifo");
    const given = { ActionAfterCompletion: "DELETE" as const, ScheduleExpression: at(now() + HOUR_MS) };
    const names = [
      await schedules.create({ ...given, Target: targetOf(queue, "same") }),
      await schedules.create({ ...given, Target: targetOf(queue, "same") }),
    ];
    cloud.advance(HOUR_MS);
    expect(await arrivals(queue)).toEqual(["same"]);
    await nothingMore(queue);
    expect(await Promise.all(names.map(schedules.exists))).toEqual([false, false]);
  });
});

describe("a recurring schedule", () => {
  it("with a rate begins at once, and goes on at that rate", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const name = await schedules.create({ ScheduleExpression: "rate(10 minutes)", Target: targetOf(queue, "tick") });
    expect(await arrivals(queue)).toEqual(["tick"]);
    cloud.advance(9 * 60_000);
    await nothingMore(queue);
    cloud.advance(60_000);
    expect(await arrivals(queue)).toEqual(["tick"]);
    // Several times were missed: they count as one.
    cloud.advance(45 * 60_000);
    expect(await arrivals(queue)).toEqual(["tick"]);
    await nothingMore(queue);
    cloud.advance(5 * 60_000);
    expect(await arrivals(queue)).toEqual(["tick"]);
    await schedules.remove(name);
  });

  it("keeps its rhythm over a restart and an update", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const given = { ScheduleExpression: "rate(10 minutes)", Target: targetOf(queue, "before") };
    const name = await schedules.create(given);
    expect(await arrivals(queue)).toEqual(["before"]);
    cloud.advance(4 * 60_000);
    await cloud.restart();
    await schedules.update(name, { ...given, Target: targetOf(queue, "after") });
    await nothingMore(queue);
    cloud.advance(6 * 60_000);
    expect(await arrivals(queue)).toEqual(["after"]);
    await schedules.remove(name);
  });

  it("begins at its start date, ends at its end date, and is then deleted if that is asked for", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const name = await schedules.create({
      ScheduleExpression: "rate(1 hours)",
      StartDate: new Date(now() + HOUR_MS),
      EndDate: new Date(now() + 2.5 * HOUR_MS),
      ActionAfterCompletion: "DELETE",
      Target: targetOf(queue, "<aws.scheduler.attempt-number>"),
    });
    await nothingMore(queue);
    for (const [remains] of [[true], [false]]) {
      cloud.advance(HOUR_MS);
      expect(await arrivals(queue)).toEqual(["1"]);
      expect(await schedules.exists(name)).toBe(remains);
    }
  });

  it("with cron is due at its minutes", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const name = await schedules.create({
      ScheduleExpression: "cron(0 * * * ? *)",
      Target: targetOf(queue, "<aws.scheduler.scheduled-time>"),
    });
    for (let hour = 0; hour < 3; hour += 1) {
      const due = (Math.floor(now() / HOUR_MS) + 1) * HOUR_MS;
      cloud.advance(due - now() + 1000);
      expect(await arrivals(queue)).toEqual([new Date(due).toISOString().replace(".000", "")]);
    }
    await schedules.remove(name);
  });

  it("is invoked within its flexible time window", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const FlexibleTimeWindow = { Mode: "FLEXIBLE" as const, MaximumWindowInMinutes: 60 };
    const names: string[] = [];
    for (let index = 0; index < 12; index += 1) {
      const Target = targetOf(queue, `${index}`);
      names.push(await schedules.create({ ScheduleExpression: at(now() + HOUR_MS), FlexibleTimeWindow, Target }));
    }
    cloud.advance(1.5 * HOUR_MS);
    const early = await arrivals(queue);
    cloud.advance(0.5 * HOUR_MS);
    const late = await arrivals(queue, names.length - early.length);
    expect(early.length).toBeGreaterThan(0);
    expect(late.length).toBeGreaterThan(0);
    expect([...early, ...late].map(Number).sort((a, b) => a - b)).toEqual(names.map((_, index) => index));
  });
});

describe("the input", () => {
  it("has its context attributes replaced", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const due = Math.floor(now() / 1000) * 1000 - 5000;
    const attributes = ["schedule-arn", "scheduled-time", "execution-id", "attempt-number"];
    const Input = attributes.map((name) => `<aws.scheduler.${name}>`).join(" ");
    const name = await schedules.create({ ScheduleExpression: at(due), Target: targetOf(queue, Input) });
    const [body = ""] = await arrivals(queue);
    const [arn, time, execution, attempt] = body.split(" ");
    expect(arn).toBe(`arn:aws:scheduler:us-east-1:000000000000:schedule/default/${name}`);
    expect(Date.parse(time ?? "")).toBe(due);
    expect(execution).toMatch(/^[0-9a-f]{16}$/);
    expect(attempt).toBe("1");
  });

  it("may be missing: then the target hears of the schedule", async () => {
    const queue = await createTestQueue(cloud, "standard");
    const { Input: _input, ...Target } = targetOf(queue, "");
    const name = await schedules.create({ ScheduleExpression: at(now() - 1000), Target });
    const [body = "{}"] = await arrivals(queue);
    expect(JSON.parse(body)).toMatchObject({
      "detail-type": "Scheduled Event",
      source: "aws.scheduler",
      resources: [(await schedules.get(name)).Arn],
      detail: "{}",
    });
  });

  it("of a universal target is the whole request, with a deduplication id of its own", async () => {
    const queue = await createTestQueue(cloud, "fifo", { ContentBasedDeduplication: "false" });
    for (const MessageDeduplicationId of ["a", "b"]) {
      const request = { QueueUrl: queue.url, MessageBody: "same", MessageGroupId: "g", MessageDeduplicationId };
      const Target = {
        ...targetOf(queue, JSON.stringify(request)),
        Arn: "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
      };
      await schedules.create({ ScheduleExpression: at(now() - 1000), Target });
    }
    expect(await arrivals(queue, 2)).toEqual(["same", "same"]);
  });
});

describe("an invocation that fails", () => {
  it("is tried again until the queue is there", async () => {
    const arn = "arn:aws:sqs:us-east-1:000000000000:comes-later";
    const name = await schedules.create({
      ScheduleExpression: at(now() - 1000),
      ActionAfterCompletion: "DELETE",
      Target: targetOf({ arn }, "attempt <aws.scheduler.attempt-number>"),
    });
    const marker = await createTestQueue(cloud, "standard");
    await nothingMore(marker);
    expect(await schedules.exists(name)).toBe(true);
    await cloud.restart();
    await cloud.sqs.send(new CreateQueueCommand({ QueueName: "comes-later" }));
    cloud.advance(1_000);
    const url = `${cloud.endpoint}/000000000000/comes-later`;
    const queue = { ...marker, url, receive: (input = {}) => marker.receive({ ...input, QueueUrl: url }) };
    const [message] = await queue.receive({ WaitTimeSeconds: 5 });
    expect(message?.Body).toBe("attempt 2");
    expect(await schedules.exists(name)).toBe(false);
    await cloud.sqs.send(new DeleteQueueCommand({ QueueUrl: url }));
  });

  it("ends in the dead-letter queue when its retries are used up", async () => {
    const dead = await createTestQueue(cloud, "standard");
    const arn = "arn:aws:sqs:us-east-1:000000000000:never";
    const name = await schedules.create({
      ScheduleExpression: at(now() - 1000),
      Target: targetOf({ arn }, "lost", {
        RetryPolicy: { MaximumRetryAttempts: 2 },
        DeadLetterConfig: { Arn: dead.arn },
      }),
    });
    await nothingMore(dead);
    cloud.advance(1_000);
    await nothingMore(dead);
    cloud.advance(2_000);
    const [message] = await dead.receive({ WaitTimeSeconds: 5, MessageAttributeNames: ["All"] });
    await dead.remove(message);
    expect(JSON.parse(message?.Body ?? "")).toMatchObject({ MessageBody: "lost" });
    const attributes = Object.entries(message?.MessageAttributes ?? {}).map(([key, value]) => [key, value.StringValue]);
    expect(Object.fromEntries(attributes)).toMatchObject({
      ERROR_CODE: "AWS.SimpleQueueService.NonExistentQueue",
      EXHAUSTED_RETRY_CONDITION: "MaximumRetryAttempts",
      IS_PAYLOAD_TRUNCATED: "false",
      RETRY_ATTEMPTS: "2",
      SCHEDULE_ARN: (await schedules.get(name)).Arn,
      TARGET_ARN: "arn:aws:scheduler:::aws-sdk:sqs:sendMessage",
    });
    cloud.advance(HOUR_MS);
    await nothingMore(dead);
  });

  it("ends in the dead-letter queue when it is too old", async () => {
    const dead = await createTestQueue(cloud, "standard");
    const arn = "arn:aws:sqs:us-east-1:000000000000:never";
    await schedules.create({
      ScheduleExpression: at(now() - 1000),
      Target: targetOf({ arn }, "lost", {
        RetryPolicy: { MaximumEventAgeInSeconds: 60 },
        DeadLetterConfig: { Arn: dead.arn },
      }),
    });
    for (let pause = 0; (await dead.bodies()).length === 0 && pause < 7; pause += 1) {
      const marker = await createTestQueue(cloud, "standard");
      await nothingMore(marker);
      cloud.advance(1000 * 2 ** pause);
    }
    cloud.advance(30_000);
    const [message] = await dead.receive({ WaitTimeSeconds: 5, MessageAttributeNames: ["All"] });
    expect(message?.MessageAttributes?.["EXHAUSTED_RETRY_CONDITION"]?.StringValue).toBe("MaximumEventAgeInSeconds");
  });

  it("is not tried again when the queue refuses the message itself", async () => {
    const dead = await createTestQueue(cloud, "standard");
    const queue = await createTestQueue(cloud, "standard");
    const Attributes = { MaximumMessageSize: "1024" };
    await cloud.sqs.send(new SetQueueAttributesCommand({ QueueUrl: queue.url, Attributes }));
    await schedules.create({
      ScheduleExpression: at(now() - 1000),
      Target: targetOf(queue, "x".repeat(2000), { DeadLetterConfig: { Arn: dead.arn } }),
    });
    const [message] = await dead.receive({ WaitTimeSeconds: 5, MessageAttributeNames: ["All"] });
    expect(message?.MessageAttributes?.["ERROR_CODE"]?.StringValue).toBe("InvalidParameterValue");
    expect(message?.MessageAttributes?.["EXHAUSTED_RETRY_CONDITION"]).toBeUndefined();
    await nothingMore(queue);
  });
});
