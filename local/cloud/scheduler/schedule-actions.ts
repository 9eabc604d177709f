import type { Transaction } from "../store/journal.ts";
import { readPayload } from "../store/data-file.ts";
import { scheduleArn } from "./arns.ts";
import { onceFor } from "./client-token.ts";
import { checkText, NAME, text } from "./constraints.ts";
import type { SchedulerAction, SchedulerCall, SchedulerContext } from "./context.ts";
import { conflict, groupNotFound, scheduleNotFound } from "./errors.ts";
import { firstTime, nextTimeAfterUpdate } from "./next-time.ts";
import { parseSchedule } from "./parse-schedule.ts";
import type { ScheduleId, SchedulerRecord, StoredSchedule } from "./records.ts";
import { DEFAULT_GROUP } from "./schedules.ts";
import type { Schedule } from "./schedules.ts";

export const createSchedule: SchedulerAction = async (context, call) => {
  const id = idInBody(call);
  const { definition, input } = parseSchedule(context, call.input);
  return inTurn(context, id, async () => {
    const once = onceFor(context, `create ${id.group}/${id.name}`, call);
    if (once.done) return { ScheduleArn: scheduleArn(context.region, id) };
    if (!context.schedules.groups.get(id.group)) throw groupNotFound(id.group);
    if (context.schedules.get(id)) throw conflict(`Schedule ${id.name} already exists.`);
    const at = context.now();
    const stored = { ...id, definition, createdAt: at, modifiedAt: at, ...firstTime(definition, at) };
    await context.commit(storeTransaction(stored, input, once.records));
    return { ScheduleArn: scheduleArn(context.region, id) };
  });
};

/** Replaces everything: what is not given gets its default (API reference, UpdateSchedule). */
export const updateSchedule: SchedulerAction = async (context, call) => {
  const id = idInBody(call);
  const { definition, input } = parseSchedule(context, call.input);
  return inTurn(context, id, async () => {
    const once = onceFor(context, `update ${id.group}/${id.name}`, call);
    if (once.done) return { ScheduleArn: scheduleArn(context.region, id) };
    const before = existing(context, id);
    const at = context.now();
    const times = nextTimeAfterUpdate(before, definition, at);
    const stored = { ...id, definition, createdAt: before.createdAt, modifiedAt: at, ...times };
    await context.commit(storeTransaction(stored, input, once.records));
    return { ScheduleArn: scheduleArn(context.region, id) };
  });
};

export const deleteSchedule: SchedulerAction = async (context, call) => {
  const id = idInQuery(call);
  return inTurn(context, id, async () => {
    const once = onceFor(context, `delete ${id.group}/${id.name}`, call);
    if (once.done) return {};
    existing(context, id);
    await context.commit({ records: [{ type: "scheduler.deleted", ...id }, ...once.records] });
    return {};
  });
};

export const getSchedule: SchedulerAction = async (context, call) => {
  const schedule = existing(context, idInQuery(call));
  const input = schedule.input && (await readPayload(schedule.input)).toString("utf8");
  return render(schedule, input, context.region);
};

function idInBody({ name, input }: SchedulerCall): ScheduleId {
  return { group: text(input, "groupName", NAME) ?? DEFAULT_GROUP, name: checkText(name, "name", NAME) };
}

function idInQuery({ name, query }: SchedulerCall): ScheduleId {
  return {
    group: checkText(query.get("groupName") ?? DEFAULT_GROUP, "groupName", NAME),
    name: checkText(name, "name", NAME),
  };
}

function existing({ schedules }: SchedulerContext, id: ScheduleId): Schedule {
  const schedule = schedules.get(id);
  if (!schedule) throw schedules.groups.get(id.group) ? scheduleNotFound(id.name) : groupNotFound(id.group);
  return schedule;
}

/** What changes a schedule waits for its invocation under way, and the other way round. */
function inTurn<T>({ locks }: SchedulerContext, { group, name }: ScheduleId, work: () => Promise<T>): Promise<T> {
  return locks.run(`${group}/${name}`, work);
}

function storeTransaction(
  stored: StoredSchedule,
  input: string | undefined,
  more: readonly SchedulerRecord[],
): Transaction<SchedulerRecord> {
  const records: SchedulerRecord[] = [{ type: "scheduler.schedule", ...stored }, ...more];
  return input === undefined ? { records } : { records, payload: Buffer.from(input) };
}

function render(
  { group, name, definition, createdAt, modifiedAt }: Schedule,
  input: string | undefined,
  region: string,
) {
  const { target, windowMinutes, startAt, endAt, description, kmsKeyArn } = definition;
  return {
    Arn: scheduleArn(region, { group, name }),
    GroupName: group,
    Name: name,
    ScheduleExpression: definition.expression,
    ScheduleExpressionTimezone: definition.zone,
    State: definition.state,
    ActionAfterCompletion: definition.afterCompletion,
    FlexibleTimeWindow:
      windowMinutes > 0 ? { Mode: "FLEXIBLE", MaximumWindowInMinutes: windowMinutes } : { Mode: "OFF" },
    CreationDate: createdAt / 1000,
    LastModificationDate: modifiedAt / 1000,
    ...(startAt !== undefined && { StartDate: startAt / 1000 }),
    ...(endAt !== undefined && { EndDate: endAt / 1000 }),
    ...(description !== undefined && { Description: description }),
    ...(kmsKeyArn !== undefined && { KmsKeyArn: kmsKeyArn }),
    Target: {
      Arn: target.arn,
      RoleArn: target.roleArn,
      RetryPolicy: {
        MaximumEventAgeInSeconds: target.maximumAgeSeconds,
        MaximumRetryAttempts: target.maximumRetries,
      },
      ...(input !== undefined && { Input: input }),
      ...(target.messageGroupId !== undefined && { SqsParameters: { MessageGroupId: target.messageGroupId } }),
      ...(target.deadLetterArn !== undefined && { DeadLetterConfig: { Arn: target.deadLetterArn } }),
    },
  };
}
