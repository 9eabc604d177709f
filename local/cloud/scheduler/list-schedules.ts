import { scheduleArn } from "./arns.ts";
import { checkChoice, checkText, NAME } from "./constraints.ts";
import type { SchedulerAction, SchedulerContext } from "./context.ts";
import { groupNotFound } from "./errors.ts";
import { cutPage, parsePage } from "./page.ts";
import type { Page } from "./page.ts";
import type { Group, Schedule } from "./schedules.ts";

/** In the order of group and name, at most 100 at a time. */
export const listSchedules: SchedulerAction = async (context, { query }) => {
  const page = parsePage(query);
  const groupName = query.get("ScheduleGroup");
  const state = query.get("State");
  const prefix = query.get("NamePrefix");
  if (groupName !== undefined) checkText(groupName, "groupName", NAME);
  if (state !== undefined) checkChoice(state, "state", ["ENABLED", "DISABLED"]);
  if (prefix !== undefined) checkText(prefix, "namePrefix", NAME);
  const fits = (schedule: Schedule) => state === undefined || schedule.definition.state === state;
  const found: Schedule[] = [];
  for (const schedule of schedulesAfter(groupsOf(context, groupName), page, prefix ?? "")) {
    if (fits(schedule)) found.push(schedule);
    if (found.length > page.size) break;
  }
  const { items, token } = cutPage(found, page, ({ group, name }) => `${group}/${name}`);
  return { Schedules: items.map((schedule) => summary(schedule, context.region)), ...token };
};

function groupsOf({ schedules }: SchedulerContext, name: string | undefined): Group[] {
  if (name === undefined) return [...schedules.groups.entriesFrom("")].map(([, group]) => group);
  const group = schedules.groups.get(name);
  if (!group) throw groupNotFound(name);
  return [group];
}

function* schedulesAfter(groups: readonly Group[], { after }: Page, prefix: string): Generator<Schedule> {
  const [afterGroup = "", afterName = ""] = after.split("/");
  for (const group of groups) {
    if (group.name < afterGroup) continue;
    const begin = group.name === afterGroup && afterName > prefix ? afterName : prefix;
    for (const [name, schedule] of group.schedules.entriesFrom(begin)) {
      if (!name.startsWith(prefix)) break;
      if (group.name !== afterGroup || name > afterName) yield schedule;
    }
  }
}

function summary({ group, name, definition, createdAt, modifiedAt }: Schedule, region: string) {
  return {
    Arn: scheduleArn(region, { group, name }),
    GroupName: group,
    Name: name,
    State: definition.state,
    CreationDate: createdAt / 1000,
    LastModificationDate: modifiedAt / 1000,
    Target: { Arn: definition.target.arn },
  };
}
