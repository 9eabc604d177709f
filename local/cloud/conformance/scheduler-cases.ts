import assert from "node:assert/strict";
import {
  CreateScheduleCommand,
  CreateScheduleGroupCommand,
  DeleteScheduleCommand,
  DeleteScheduleGroupCommand,
  GetScheduleCommand,
  GetScheduleGroupCommand,
  ListSchedulesCommand,
  UpdateScheduleCommand,
} from "@aws-sdk/client-scheduler";
import type { CreateScheduleCommandInput, Target as ScheduleTarget } from "@aws-sdk/client-scheduler";
import { ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import type { Message } from "@aws-sdk/client-sqs";
import { eventually, refused } from "./case.ts";
import type { ConformanceCase } from "./case.ts";
import type { Target } from "./target.ts";

/** AWS invokes within the minute. */
const INVOKED_WITHIN_MS = 90_000;
const FAR = "at(2199-01-01T00:00:00)";
/** Long ago: due at once. */
const OVERDUE = "at(2020-01-01T00:00:00)";
const UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sqs:sendMessage";

type Given = Partial<CreateScheduleCommandInput>;

/** The verbs that the cases use most; `target` names a queue that need not be there unless one is given. */
function open(target: Target) {
  const { scheduler, sqs, unique, onDispose, roleArn } = target;
  const absent = "arn:aws:sqs:us-east-1:000000000000:conformance-absent";
  const to = (Arn: string, Input: string, more: Partial<ScheduleTarget> = {}) => {
    return { Arn, RoleArn: roleArn, Input, ...more };
  };
  const fill = (given: Given) => ({
    ScheduleExpression: FAR,
    FlexibleTimeWindow: { Mode: "OFF" as const },
    Target: to(absent, "x"),
    ...given,
  });
  return {
    scheduler,
    queue: (kind: "fifo" | "standard", attributes: Record<string, string> = {}) => target.queue(kind, attributes),
    to,
    unique,
    create: async (given: Given = {}) => {
      const Name = given.Name ?? unique("schedule");
      const group = given.GroupName === undefined ? {} : { GroupName: given.GroupName };
      await scheduler.send(new CreateScheduleCommand({ ...fill(given), Name }));
      onDispose(() => scheduler.send(new DeleteScheduleCommand({ Name, ...group })));
      return Name;
    },
    createGroup: async () => {
      const Name = unique("group");
      await scheduler.send(new CreateScheduleGroupCommand({ Name }));
      onDispose(() => scheduler.send(new DeleteScheduleGroupCommand({ Name })));
      return Name;
    },
    update: (Name: string, given: Given) => scheduler.send(new UpdateScheduleCommand({ ...fill(given), Name })),
    get: (Name: string) => scheduler.send(new GetScheduleCommand({ Name })),
    remove: (Name: string, token = {}) => scheduler.send(new DeleteScheduleCommand({ Name, ...token })),
    /** The first message that arrives in a queue. */
    arrival: (QueueUrl: string): Promise<Message> =>
      eventually(async () => {
        const names = { MessageAttributeNames: ["All"], MessageSystemAttributeNames: ["All" as const] };
        const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10, ...names }));
        return Messages?.[0];
      }, INVOKED_WITHIN_MS),
  };
}

type Opened = ReturnType<typeof open>;

function schedulerCase(name: string, run: (opened: Opened) => Promise<void>): ConformanceCase {
  return { service: "scheduler", name: `scheduler: ${name}`, run: (target) => run(open(target)) };
}

export const schedulerCases: ConformanceCase[] = [
  schedulerCase("a schedule comes back with its defaults", async ({ create, get }) => {
    const name = await create();
    const { Arn, State, GroupName, ActionAfterCompletion, ScheduleExpressionTimezone, Target } = await get(name);
    assert.match(Arn ?? "", new RegExp(`^arn:aws:scheduler:[^:]+:\\d{12}:schedule/default/${name}$`));
    assert.deepEqual(
      { State, GroupName, ActionAfterCompletion, ScheduleExpressionTimezone, RetryPolicy: Target?.RetryPolicy },
      {
        State: "ENABLED",
        GroupName: "default",
        ActionAfterCompletion: "NONE",
        ScheduleExpressionTimezone: "UTC",
        RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
      },
    );
  }),
  schedulerCase("a name is taken once", async ({ create }) => {
    const Name = await create();
    await refused(create({ Name }), "ConflictException");
  }),
  schedulerCase("what is not there is not found", async ({ create, get, update, remove, unique, scheduler }) => {
    const missing = "ResourceNotFoundException";
    await refused(get(unique("none")), missing);
    await refused(remove(unique("none")), missing);
    await refused(update(unique("none"), {}), missing);
    await refused(create({ GroupName: unique("none") }), missing);
    await refused(scheduler.send(new GetScheduleGroupCommand({ Name: unique("none") })), missing);
  }),
  schedulerCase("an update replaces everything", async ({ create, update, get }) => {
    const name = await create({ Description: "old", State: "DISABLED" });
    await update(name, { ScheduleExpression: "rate(30 days)", StartDate: new Date(Date.now() + 86_400_000) });
    const { Description, State, ScheduleExpression } = await get(name);
    assert.deepEqual([Description, State, ScheduleExpression], [undefined, "ENABLED", "rate(30 days)"]);
  }),
  schedulerCase("a request with the same client token is done once", async ({ create, get, unique }) => {
    const given = { Name: unique("schedule"), ClientToken: unique("token") };
    await create(given);
    await create(given);
    assert.equal((await get(given.Name)).Name, given.Name);
  }),
  ...(
    [
      ["a name with other characters", { Name: "a b" }],
      ["an expression that is none", { ScheduleExpression: "every day" }],
      ["an at expression with a fraction", { ScheduleExpression: "at(2199-01-01T00:00:00.5)" }],
      ["cron with both kinds of days", { ScheduleExpression: "cron(0 10 1 * MON *)" }],
      ["a rate of seconds", { ScheduleExpression: "rate(5 seconds)" }],
      ["a zone that is none", { ScheduleExpressionTimezone: "Mars/Olympus" }],
      ["a window of a week", { FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 10_080 } }],
      ["a start long ago", { ScheduleExpression: "rate(1 days)", StartDate: new Date("2020-01-01") }],
    ] satisfies [string, Given][]
  ).map(([what, given]) =>
    schedulerCase(`${what} is refused`, ({ create }) => refused(create(given), "ValidationException")),
  ),
  schedulerCase("a FIFO queue for dead letters is refused", async ({ create, queue, to }) => {
    const { arn } = await queue("fifo");
    const Target = to(arn, "x", { SqsParameters: { MessageGroupId: "g" }, DeadLetterConfig: { Arn: arn } });
    await refused(create({ Target }), "ValidationException");
  }),
  schedulerCase("a group goes with its schedules", async ({ create, createGroup, scheduler }) => {
    const GroupName = await createGroup();
    const Name = await create({ GroupName });
    await scheduler.send(new DeleteScheduleGroupCommand({ Name: GroupName }));
    await eventually(async () => {
      const gone = scheduler.send(new GetScheduleCommand({ Name, GroupName })).then(
        () => undefined,
        (error: Error) => (error.name === "ResourceNotFoundException" ? true : undefined),
      );
      return gone;
    }, INVOKED_WITHIN_MS);
  }),
  schedulerCase("schedules are listed by group and prefix, in pages", async ({ create, createGroup, scheduler }) => {
    const GroupName = await createGroup();
    for (const Name of ["a-1", "a-2", "a-3", "b-1"]) await create({ Name, GroupName });
    const names = new Set<string | undefined>();
    let NextToken: string | undefined;
    do {
      const page = { MaxResults: 2, ...(NextToken !== undefined && { NextToken }) };
      const answer = await scheduler.send(new ListSchedulesCommand({ GroupName, NamePrefix: "a-", ...page }));
      for (const { Name } of answer.Schedules ?? []) names.add(Name);
      NextToken = answer.NextToken;
    } while (NextToken !== undefined);
    assert.deepEqual(names, new Set(["a-1", "a-2", "a-3"]));
  }),
  schedulerCase("an overdue schedule sends to a FIFO queue, and goes", async ({ create, queue, to, arrival, get }) => {
    const { url, arn } = await queue("fifo", { ContentBasedDeduplication: "true" });
    const Target = to(arn, "hello", { SqsParameters: { MessageGroupId: "device-1" } });
    const name = await create({ ScheduleExpression: OVERDUE, ActionAfterCompletion: "DELETE", Target });
    const { Body, Attributes } = await arrival(url);
    assert.deepEqual([Body, Attributes?.MessageGroupId], ["hello", "device-1"]);
    await eventually(async () => {
      const { name: error } = await get(name).then(
        () => ({ name: "" }),
        (error: Error) => error,
      );
      return error === "ResourceNotFoundException" ? true : undefined;
    }, INVOKED_WITHIN_MS);
  }),
  schedulerCase("context attributes are replaced in the input", async ({ create, queue, to, arrival, get }) => {
    const { url, arn } = await queue("standard");
    const Input = "<aws.scheduler.schedule-arn> <aws.scheduler.scheduled-time> <aws.scheduler.attempt-number>";
    const name = await create({ ScheduleExpression: OVERDUE, Target: to(arn, Input) });
    const { Body } = await arrival(url);
    assert.equal(Body, `${(await get(name)).Arn} 2020-01-01T00:00:00Z 1`);
  }),
  schedulerCase("a universal target sends what its input says", async ({ create, queue, to, arrival }) => {
    const { url: QueueUrl } = await queue("fifo");
    const ids = { MessageGroupId: "g", MessageDeduplicationId: "d" };
    const Target = to(UNIVERSAL, JSON.stringify({ QueueUrl, MessageBody: "hello", ...ids }));
    await create({ ScheduleExpression: OVERDUE, Target });
    const { Body, Attributes } = await arrival(QueueUrl);
    assert.deepEqual([Body, Attributes?.MessageDeduplicationId], ["hello", "d"]);
  }),
  schedulerCase("an invocation that fails becomes a dead letter", async ({ create, queue, to, arrival, get }) => {
    const dead = await queue("standard");
    const DeadLetterConfig = { Arn: dead.arn };
    const Target = to(`${dead.arn}-absent`, "lost", { DeadLetterConfig, RetryPolicy: { MaximumRetryAttempts: 0 } });
    const name = await create({ ScheduleExpression: OVERDUE, Target });
    const { Body = "", MessageAttributes = {} } = await arrival(dead.url);
    assert.equal((JSON.parse(Body) as { MessageBody?: string }).MessageBody, "lost");
    const attribute = (key: string) => MessageAttributes[key]?.StringValue;
    assert.equal(attribute("ERROR_CODE"), "AWS.SimpleQueueService.NonExistentQueue");
    assert.equal(attribute("RETRY_ATTEMPTS"), "0");
    assert.equal(attribute("SCHEDULE_ARN"), (await get(name)).Arn);
  }),
];
