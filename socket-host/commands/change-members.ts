import type { CommandPayload } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import type { Outcome } from "../../shared/db/commands.ts";
import { outcomeOf } from "../../shared/groups.ts";
import type { MemberAction, ParticipantOutcome } from "../../shared/groups.ts";
import { KEPT, STORED } from "../consumer.ts";
import type { Execution } from "../consumer.ts";
import { groupRefusal } from "../group-refusal.ts";
import type { CommandContext } from "./context.ts";
import { openGroups } from "./open-groups.ts";

/** After a lost answer it is asked for once more. */
const MAX_TRIES = 2;

/** What WhatsApp says of somebody for whom the action has been done already. */
const DONE_BEFORE: Record<MemberAction, number> = { add: 409, remove: 404, promote: 409, demote: 409 };

/**
 * Lets people into a group or out of it, or makes them its admins or no longer. To ask for the same again changes
 * nothing, so it is what follows a lost answer; whoever is then said to be where they should be, was brought there before.
 */
export async function changeMembers(
  context: CommandContext,
  { group, action, participants }: Extract<CommandPayload, { kind: "change-members" }>,
): Promise<Execution> {
  const { database, device, command } = context;
  let wasBegun = command.state !== "queued";
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const groups = await openGroups(device);
    if (groups === "gone") return KEPT;
    if (groups === "closed") break;
    if (!(await commands.start(database, command.commandId, device.epoch, "running"))) return STORED;
    const changed = await groups.change(group, action, participants);
    if (changed.outcome === "refused") return await end(context, { state: "failed", ...groupRefusal(changed.code) });
    if (changed.outcome === "done") {
      const outcomes = wasBegun ? changed.value.map((one) => settled(one, action)) : changed.value;
      return await end(context, { state: "done", result: { groupId: group, participants: outcomes } });
    }
    wasBegun = true;
  }
  return await end(context, { state: "failed", errorCode: wasBegun ? "outcome_unknown" : "not_connected" });
}

const settled = (one: ParticipantOutcome, action: MemberAction) =>
  one.status === DONE_BEFORE[action] ? outcomeOf(one.jid, 200) : one;

async function end({ database, device, command }: CommandContext, outcome: Outcome): Promise<Execution> {
  await commands.finish(database.pool, command.commandId, device.epoch, outcome);
  return STORED;
}
