import type { GroupList } from "../../shared/groups.ts";
import type { Device } from "../device.ts";
import { groupRefusal } from "../group-refusal.ts";
import type { Asked, Groups } from "../whatsapp/groups.ts";
import { openGroups } from "./open-groups.ts";
import type { Reading } from "./read-chats.ts";

/** Every group that the account is in, by name. Of a number that is allowed they are kept for the data API. */
export const listGroups = (device: Device): Promise<Reading> =>
  readGroups(device, async (known) => {
    const listed = await known.list();
    if (listed.outcome !== "done") return listed;
    const groups = listed.value.toSorted((a, b) => a.subject.localeCompare(b.subject));
    await device.history?.learnGroups(async () => groups.map(({ id, subject }) => ({ group: id, subject })));
    const list: GroupList = { groups, total: groups.length };
    return { outcome: "done", value: list };
  });

/** One group, with who is in it. Of a number that is allowed it is kept with its invite link, if the account may see that. */
export const readGroup = (device: Device, group: string): Promise<Reading> =>
  readGroups(device, async (groups) => {
    const info = await groups.info(group);
    if (info.outcome !== "done") return info;
    const { subject, isAdmin } = info.value;
    await device.history?.learnGroups(async () => {
      const inviteCode = isAdmin ? await groups.inviteCode(group) : undefined;
      return [{ group, subject, inviteCode }];
    });
    return info;
  });

async function readGroups(device: Device, ask: (groups: Groups) => Promise<Asked<object>>): Promise<Reading> {
  const groups = await openGroups(device);
  if (typeof groups === "string") return { errorCode: "not_connected" };
  const asked = await ask(groups);
  switch (asked.outcome) {
    case "done":
      return { answer: asked.value };
    case "refused":
      return groupRefusal(asked.code);
    case "lost":
      return { errorCode: "unavailable" };
  }
}
