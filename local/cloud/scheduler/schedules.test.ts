import {
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  DeleteScheduleGroupCommand,
  GetScheduleGroupCommand,
  ListScheduleGroupsCommand,
  ListSchedulesCommand,
  TagResourceCommand,
} from "@aws-sdk/client-scheduler";
import type { CreateScheduleCommandInput, Target } from "@aws-sdk/client-scheduler";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestQueue } from "../sqs/test-queue.ts";
import type { TestQueue } from "../sqs/test-queue.ts";
import { startTestCloud } from "../test-cloud.ts";
import type { TestCloud } from "../test-cloud.ts";
import { schedulesOf, targetOf } from "./test-schedules.ts";

let cloud: TestCloud;
let queue: TestQueue;
let schedules: ReturnType<typeof schedulesOf>;
beforeAll(async () => {
  cloud = await startTestCloud();
  schedules = schedulesOf(cloud);
  queue = await createTestQueue(cloud, "fifo");
});
afterAll(() => cloud.dispose());

const createGroup = (Name: string, ClientToken?: string) =>
  cloud.scheduler.send(new CreateScheduleGroupCommand({ Name, ...(ClientToken !== undefined && { ClientToken }) }));

describe("a schedule", () => {
  it("is given back as it was created, also after a restart", async () => {
    const StartDate = new Date(Date.now() + 60_000);
    const EndDate = new Date(Date.now() + 120_500);
    const given = {
      Name: "complete",
      ScheduleExpression: "cron(0 8 ? * MON *)",
      ScheduleExpressionTimezone: "Europe/Berlin",
      Description: "with everything",
      State: "DISABLED" as const,
      ActionAfterCompletion: "DELETE" as const,
      FlexibleTimeWindow: { Mode: "FLEXIBLE" as const, MaximumWindowInMinutes: 15 },
      StartDate,
      EndDate,
      KmsKeyArn: "arn:aws:kms:us-east-1:000000000000:key/1",
      Target: targetOf(queue, "grüße ✓ \u0007", {
        RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 60 },
        DeadLetterConfig: { Arn: "arn:aws:sqs:us-east-1:000000000000:dead" },
      }),
    };
    await schedules.create(given);
    await cloud.restart();
    const { $metadata: _metadata, CreationDate, LastModificationDate, ...found } = await schedules.get("complete");
    expect(found).toEqual({
      ...given,
      GroupName: "default",
      Arn: "arn:aws:scheduler:us-east-1:000000000000:schedule/default/complete",
    });
    expect(Math.abs(Date.now() - (CreationDate?.getTime() ?? 0))).toBeLessThan(5_000);
    expect(LastModificationDate).toEqual(CreationDate);
  });

  it("has defaults for what is not given", async () => {
    const name = await schedules.create({ Target: targetOf(queue, "x") });
    expect(await schedules.get(name)).toMatchObject({
      State: "ENABLED",
      ScheduleExpressionTimezone: "UTC",
      ActionAfterCompletion: "NONE",
      FlexibleTimeWindow: { Mode: "OFF" },
      Target: { RetryPolicy: { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86_400 } },
    });
  });

  it("takes an input of 256 KB", async () => {
    const Input = "é".repeat(128 * 1024);
    const name = await schedules.create({ Target: targetOf(queue, Input) });
    expect((await schedules.get(name)).Target?.Input).toBe(Input);
    await expect(schedules.create({ Target: targetOf(queue, `${Input}x`) })).rejects.toMatchObject({
      name: "ValidationException",
    });
  });

  it("exists once in its group, and again in another one", async () => {
    const given = { Name: "twice", Target: targetOf(queue, "x") };
    await schedules.create(given);
    await expect(schedules.create(given)).rejects.toMatchObject({
      name: "ConflictException",
      message: "Schedule twice already exists.",
    });
    await createGroup("another");
    await schedules.create({ ...given, GroupName: "another" });
    expect((await schedules.get("twice", "another")).Arn).toContain(":schedule/another/twice");
  });

  it("is created once by several who try at the same time", async () => {
    const tries = Array.from({ length: 10 }, () => schedules.create({ Name: "race", Target: targetOf(queue, "x") }));
    const results = await Promise.allSettled(tries);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  it("loses by an update what the update does not say", async () => {
    const name = await schedules.create({ Description: "old", State: "DISABLED", Target: targetOf(queue, "old") });
    const before = await schedules.get(name);
    await schedules.update(name, { ScheduleExpression: "rate(5 days)", Target: targetOf(queue, "new") });
    const after = await schedules.get(name);
    expect(after).toMatchObject({ State: "ENABLED", ScheduleExpression: "rate(5 days)", Target: { Input: "new" } });
    expect(after.Description).toBeUndefined();
    expect(after.CreationDate).toEqual(before.CreationDate);
    await schedules.remove(name);
  });

  it("is not there when it was never created, or is deleted", async () => {
    const name = await schedules.create({ Target: targetOf(queue, "x") });
    await schedules.remove(name);
    const missing = { name: "ResourceNotFoundException", message: `Schedule ${name} does not exist.` };
    await expect(schedules.get(name)).rejects.toMatchObject(missing);
    await expect(schedules.remove(name)).rejects.toMatchObject(missing);
    await expect(schedules.update(name, { Target: targetOf(queue, "x") })).rejects.toMatchObject(missing);
    await expect(schedules.get(name, "nowhere")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(schedules.create({ GroupName: "nowhere", Target: targetOf(queue, "x") })).rejects.toMatchObject({
      name: "ResourceNotFoundException",
    });
  });
});

describe("a client token", () => {
  it("makes a repeated request a success without effect, also after a restart", async () => {
    const given = { Name: "token", ClientToken: "token-1", Target: targetOf(queue, "x") };
    await schedules.create(given);
    await cloud.restart();
    await schedules.create(given);
    const remove = () => cloud.scheduler.send(new DeleteScheduleCommand({ Name: "token", ClientToken: "token-1" }));
    await remove();
    await remove();
    // It was created already: doing it again would bring it back.
    await schedules.create(given);
    expect(await schedules.exists("token")).toBe(false);
    await createGroup("token-group", "token-1");
    await createGroup("token-group", "token-1");
  });

  it("keeps an update that is repeated late from undoing a newer one", async () => {
    const name = await schedules.create({ Target: targetOf(queue, "0") });
    const first = { ClientToken: "update-1", Target: targetOf(queue, "1") };
    await schedules.update(name, first);
    await schedules.update(name, { Target: targetOf(queue, "2") });
    await schedules.update(name, first);
    expect((await schedules.get(name)).Target?.Input).toBe("2");
  });

  it("does not go with another request", async () => {
    const given = { Name: "mismatch", ClientToken: "token-2", Target: targetOf(queue, "x") };
    await schedules.create(given);
    await expect(schedules.create({ ...given, Target: targetOf(queue, "y") })).rejects.toMatchObject({
      name: "ConflictException",
    });
  });
});

describe("what is refused", () => {
  const target = (more: Partial<Target>) => ({ Target: { ...targetOf(queue, "x"), ...more } });
  it.each<[string, () => Partial<CreateScheduleCommandInput>]>([
    ["a name of other characters", () => ({ Name: "a b" })],
    ["a name of 65 characters", () => ({ Name: "x".repeat(65) })],
    ["a group of other characters", () => ({ GroupName: "a/b" })],
    ["an expression that is none", () => ({ ScheduleExpression: "every day" })],
    ["a zone that is none", () => ({ ScheduleExpressionTimezone: "Mars/Olympus" })],
    ["a window without a length", () => ({ FlexibleTimeWindow: { Mode: "FLEXIBLE" } })],
    ["a window that is too long", () => ({ FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 1441 } })],
    ["a state that is none", () => ({ State: "PAUSED" as "ENABLED" })],
    ["an action that is none", () => ({ ActionAfterCompletion: "ARCHIVE" as "DELETE" })],
    ["a description of 513 characters", () => ({ Description: "x".repeat(513) })],
    ["a client token of other characters", () => ({ ClientToken: "a.b" })],
    ["an early start", () => ({ ScheduleExpression: "rate(1 days)", StartDate: new Date(Date.now() - 301_000) })],
    ["an end in the past", () => ({ ScheduleExpression: "rate(1 days)", EndDate: new Date(Date.now() - 1000) })],
    [
      "an end before the start",
      () => ({
        ScheduleExpression: "rate(1 days)",
        StartDate: new Date(Date.now() + 9000),
        EndDate: new Date(Date.now() + 8000),
      }),
    ],
    ["a target that is no ARN", () => target({ Arn: "queue" })],
    ["a target of another service", () => target({ Arn: "arn:aws:lambda:us-east-1:000000000000:function:f" })],
    ["parameters of another service", () => target({ KinesisParameters: { PartitionKey: "x" } })],
    ["a role that is no ARN", () => target({ RoleArn: "role" })],
    ["an empty input", () => target({ Input: "" })],
    ["a FIFO queue without a group", () => target({ SqsParameters: {} })],
    ["a FIFO queue for dead letters", () => target({ DeadLetterConfig: { Arn: queue.arn } })],
    ["too many retries", () => target({ RetryPolicy: { MaximumRetryAttempts: 186 } })],
    ["a short event age", () => target({ RetryPolicy: { MaximumEventAgeInSeconds: 59 } })],
    ["a universal target without a request", () => target({ Arn: "arn:aws:scheduler:::aws-sdk:sqs:sendMessage" })],
  ])("%s", async (_, given) => {
    const input = { Target: targetOf(queue, "x"), ...given() };
    await expect(schedules.create(input)).rejects.toMatchObject({ name: "ValidationException" });
  });

  it("a FIFO queue that does not deduplicate by content", async () => {
    const other = await createTestQueue(cloud, "fifo", { ContentBasedDeduplication: "false" });
    await expect(schedules.create({ Target: targetOf(other, "x") })).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("content-based deduplication") as string,
    });
  });

  it("an action that the local cloud does not have", async () => {
    const Tags = [{ Key: "a", Value: "b" }];
    const ResourceArn = "arn:aws:scheduler:us-east-1:000000000000:schedule-group/default";
    await expect(cloud.scheduler.send(new TagResourceCommand({ ResourceArn, Tags }))).rejects.toMatchObject({
      name: "UnknownOperationException",
    });
  });

  it("names the constraint as AWS does", async () => {
    await expect(schedules.create({ Name: "a b", Target: targetOf(queue, "x") })).rejects.toMatchObject({
      message:
        "1 validation error detected: Value 'a b' at 'name' failed to satisfy constraint: " +
        "Member must satisfy regular expression pattern: [0-9a-zA-Z-_.]+",
    });
  });
});

describe("a group", () => {
  it("is created, found, and deleted with its schedules", async () => {
    const { ScheduleGroupArn } = await createGroup("short-lived");
    expect(ScheduleGroupArn).toBe("arn:aws:scheduler:us-east-1:000000000000:schedule-group/short-lived");
    await expect(createGroup("short-lived")).rejects.toMatchObject({ name: "ConflictException" });
    await schedules.create({ Name: "inside", GroupName: "short-lived", Target: targetOf(queue, "x") });
    await cloud.restart();
    const get = () => cloud.scheduler.send(new GetScheduleGroupCommand({ Name: "short-lived" }));
    expect(await get()).toMatchObject({
      Arn: ScheduleGroupArn,
      State: "ACTIVE",
      CreationDate: expect.any(Date) as Date,
    });
    await cloud.scheduler.send(new DeleteScheduleGroupCommand({ Name: "short-lived" }));
    await expect(get()).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await createGroup("short-lived");
    await expect(schedules.get("inside", "short-lived")).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("named default is always there", async () => {
    const remove = new DeleteScheduleGroupCommand({ Name: "default" });
    await expect(cloud.scheduler.send(remove)).rejects.toMatchObject({ name: "ValidationException" });
  });

  it("is listed by prefix and page", async () => {
    for (const name of ["list-1", "list-2", "list-3"]) await createGroup(name);
    const list = (NextToken?: string) =>
      cloud.scheduler.send(
        new ListScheduleGroupsCommand({ NamePrefix: "list-", MaxResults: 2, ...(NextToken && { NextToken }) }),
      );
    const first = await list();
    const second = await list(first.NextToken);
    const names = [first, second].map(({ ScheduleGroups }) => ScheduleGroups?.map(({ Name }) => Name));
    expect(names).toEqual([["list-1", "list-2"], ["list-3"]]);
    expect(second.NextToken).toBeUndefined();
  });
});

describe("a list of schedules", () => {
  it("has them all, in pages, by group, prefix and state", async () => {
    await createGroup("many");
    await createGroup("many-too");
    const all: string[] = [];
    for (const GroupName of ["many", "many-too"]) {
      for (let index = 10; index < 25; index += 1) {
        const State = index % 2 === 0 ? "ENABLED" : "DISABLED";
        await schedules.create({ Name: `item-${index}`, GroupName, State, Target: targetOf(queue, "x") });
        all.push(`${GroupName}/item-${index}`);
      }
    }
    const list = async (input: { GroupName?: string; NamePrefix?: string; State?: "ENABLED"; MaxResults?: number }) => {
      const names: string[] = [];
      let NextToken: string | undefined;
      do {
        const command = new ListSchedulesCommand({ ...input, ...(NextToken !== undefined && { NextToken }) });
        const answer = await cloud.scheduler.send(command);
        for (const { GroupName, Name } of answer.Schedules ?? []) names.push(`${GroupName}/${Name}`);
        NextToken = answer.NextToken;
      } while (NextToken !== undefined);
      return names;
    };
    expect(await list({ NamePrefix: "item-", MaxResults: 7 })).toEqual(all);
    expect(await list({ GroupName: "many", MaxResults: 1 })).toEqual(all.slice(0, 15));
    expect(await list({ GroupName: "many-too", NamePrefix: "item-2" })).toEqual(all.slice(25));
    expect(await list({ GroupName: "many", State: "ENABLED", MaxResults: 3 })).toHaveLength(8);
    await expect(list({ GroupName: "nowhere" })).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(list({ MaxResults: 101 })).rejects.toMatchObject({ name: "ValidationException" });
  });
});
