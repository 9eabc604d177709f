import { groupArn } from "./arns.ts";
import { onceFor } from "./client-token.ts";
import { checkText, NAME } from "./constraints.ts";
import type { SchedulerAction } from "./context.ts";
import { conflict, groupNotFound, validation } from "./errors.ts";
import { cutPage, parsePage } from "./page.ts";
import { DEFAULT_GROUP } from "./schedules.ts";
import type { Group } from "./schedules.ts";

export const createScheduleGroup: SchedulerAction = async (context, call) => {
  const name = checkText(call.name, "name", NAME);
  // No schedule has a name with a space in front, so this is nobody's turn but the group's.
  return context.locks.run(` ${name}`, async () => {
    const once = onceFor(context, `create ${name}`, call);
    if (!once.done) {
      if (context.schedules.groups.get(name)) throw conflict(`Schedule Group ${name} already exists.`);
      await context.commit({
        records: [{ type: "scheduler.group", name, createdAt: context.now() }, ...once.records],
      });
    }
    return { ScheduleGroupArn: groupArn(context.region, name) };
  });
};

/** With its schedules, at once: AWS leaves the group in the state DELETING for a while. */
export const deleteScheduleGroup: SchedulerAction = async (context, call) => {
  const name = checkText(call.name, "name", NAME);
  if (name === DEFAULT_GROUP) throw validation("The default schedule group cannot be deleted.");
  return context.locks.run(` ${name}`, async () => {
    const once = onceFor(context, `delete ${name}`, call);
    if (once.done) return {};
    if (!context.schedules.groups.get(name)) throw groupNotFound(name);
    await context.commit({ records: [{ type: "scheduler.groupDeleted", name }, ...once.records] });
    return {};
  });
};

export const getScheduleGroup: SchedulerAction = async ({ schedules, region }, call) => {
  const name = checkText(call.name, "name", NAME);
  const group = schedules.groups.get(name);
  if (!group) throw groupNotFound(name);
  return render(group, region);
};

export const listScheduleGroups: SchedulerAction = async ({ schedules, region }, { query }) => {
  const page = parsePage(query);
  const prefix = query.get("NamePrefix");
  if (prefix !== undefined) checkText(prefix, "namePrefix", NAME);
  const found: Group[] = [];
  for (const [name, group] of schedules.groups.entriesFrom(page.after)) {
    if (name > page.after && name.startsWith(prefix ?? "")) found.push(group);
    if (found.length > page.size) break;
  }
  const { items, token } = cutPage(found, page, ({ name }) => name);
  return { ScheduleGroups: items.map((group) => render(group, region)), ...token };
};

function render({ name, createdAt }: Group, region: string) {
  return {
    Arn: groupArn(region, name),
    Name: name,
    State: "ACTIVE",
    CreationDate: createdAt / 1000,
    LastModificationDate: createdAt / 1000,
  };
}
