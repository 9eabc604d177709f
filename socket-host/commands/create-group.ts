import type { CommandPayload } from "../../shared/commands.ts";
import * as commands from "../../shared/db/commands.ts";
import type { Outcome } from "../../shared/db/commands.ts";
import { outcomeOf } from "../../shared/groups.ts";
import type { CreatedGroup } from "../../shared/groups.ts";
import { LID_SERVER } from "../../shared/jid.ts";
import { KEPT, STORED } from "../consumer.ts";
import type { Execution } from "../consumer.ts";
import { refusalOf } from "../refusal.ts";
import type { Asked } from "../whatsapp/groups.ts";
import type { CommandContext } from "./context.ts";
import { openGroups } from "./open-groups.ts";

type Payload = Extract<CommandPayload, { kind: "create-group" }>;

/** How far the clocks of WhatsApp's server, which dates groups in seconds, and of the database may be apart. */
const CLOCK_SLACK_MS = 60_000;

/**
 * Makes a group, once. WhatsApp would make a second one if it were asked again, so that is never done: when the answer was
 * lost, to a crash or with the connection, the group is looked for among those that the account has made since.
 */
export async function createGroup(context: CommandContext, payload: Payload): Promise<Execution> {
  const { database, device, command } = context;
  const wasBegun = command.state !== "queued";
  const groups = await openGroups(device);
  if (groups === "gone") return KEPT;
  if (groups === "closed") {
    const errorCode = wasBegun ? "outcome_unknown" : "not_connected";
    return await end(context, { state: "failed", errorCode });
  }
  if (!(await commands.start(database, command.commandId, device.epoch, "running"))) return STORED;
  const begunAt = command.startedAt ?? new Date();
  const asked: Asked<CreatedGroup> = wasBegun
    ? { outcome: "lost" }
    : await groups.create(payload.subject, payload.participants, command.commandId);
  switch (asked.outcome) {
    case "done":
      return await end(context, { state: "done", result: asked.value });
    case "refused":
      return await end(context, { state: "failed", ...refusalOf(String(asked.code)) });
    case "lost": {
      const found = await look(context, payload, begunAt);
      if (found === "gone") return KEPT;
      return await end(context, found);
    }
  }
}

async function look(
  { device }: CommandContext,
  { subject, participants }: Payload,
  begunAt: Date,
): Promise<Outcome | "gone"> {
  const groups = await openGroups(device);
  if (groups === "gone") return groups;
  const found = groups === "closed" ? undefined : await groups.findOwn(subject, begunAt.getTime() - CLOCK_SLACK_MS);
  if (found?.outcome !== "done" || !found.value) return { state: "failed", errorCode: "outcome_unknown" };
  const { id, participants: members } = found.value;
  const people = new Set(members.flatMap(({ jid, lid }) => [jid, `${lid}@${LID_SERVER}`]));
  const outcomes = participants.map((jid) => outcomeOf(jid, people.has(jid) ? 200 : 0));
  return { state: "done", result: { groupId: id, participants: outcomes } };
}

async function end({ database, device, command }: CommandContext, outcome: Outcome): Promise<Execution> {
  await commands.finish(database.pool, command.commandId, device.epoch, outcome);
  return STORED;
}
