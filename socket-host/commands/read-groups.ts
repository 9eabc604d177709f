import type { GroupList } from "../../shared/groups.ts";
import type { Device } from "../device.ts";
import { groupRefusal } from "../group-refusal.ts";
import type { Asked, Groups } from "../whatsapp/groups.ts";
import { openGroups } from "./open-groups.ts";
import type { Reading } from "./read-chats.ts";

/** Every group that the account is in, by name. */
export const listGroups = (device: Device): Promise<Reading> =>
  readGroups(device, async (known) => {
    const listed = await known.list();
    if (listed.outcome !== "done") return listed;
    const groups = listed.value.toSorted((a, b) => a.subject.localeCompare(b.subject));
    const list: GroupList = { groups, total: groups.length };
    return { outcome: "done", value: list };
  });

/** One group, with who is in it. */
export const readGroup = (device: Device, group: string): Promise<Reading> =>
  readGroups(device, (groups) => groups.info(group));

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
