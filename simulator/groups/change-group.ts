import { Refusal } from "../answers/refusal.ts";
import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import { memberAddMode } from "./describe-group.ts";
import type { Group, GroupSettings } from "./group.ts";
import { MAX_SUBJECT } from "./membership.ts";
import { tellMembers } from "./tell-members.ts";

const MAX_DESCRIPTION = 2_048;

export function changeSubject(network: Network, group: Group, actor: Account, subject: string): Refusal | undefined {
  if (!mayEdit(group, actor)) return new Refusal(403);
  if (subject.length === 0 || subject.length > MAX_SUBJECT) return new Refusal(406);
  const at = nowSeconds();
  group.subject = { text: subject, by: actor.number, at: Number(at) };
  const attributes = { subject, s_t: at, s_o: group.jidOf(actor) };
  return announce(network, group, actor, node("subject", attributes));
}

/** An empty text takes the description away. `replaces` is the id of the one that the client knows; 409 if it is an old one. */
export function changeDescription(
  network: Network,
  group: Group,
  actor: Account,
  { id, text, replaces }: { id: string; text: string; replaces?: string | undefined },
): Refusal | undefined {
  if (!mayEdit(group, actor)) return new Refusal(403);
  if (text.length > MAX_DESCRIPTION) return new Refusal(406);
  if (replaces !== undefined && replaces !== group.description?.id) return new Refusal(409);
  group.description = text === "" ? undefined : { id, text, by: actor.number, at: Number(nowSeconds()) };
  const content = text === "" ? node("delete") : node("body", {}, Buffer.from(text));
  return announce(network, group, actor, node("description", { id }, [content]));
}

export function changeSettings(
  network: Network,
  group: Group,
  actor: Account,
  change: Partial<GroupSettings>,
): Refusal | undefined {
  const isForAdmins = Object.keys(change).some((name) => name !== "ephemeralSeconds");
  if (isForAdmins ? !group.isAdmin(actor) : !mayEdit(group, actor)) return new Refusal(403);
  Object.assign(group.settings, change);
  for (const name of Object.keys(change) as (keyof GroupSettings)[]) {
    announce(network, group, actor, DESCRIBED[name](group));
  }
  return undefined;
}

/** A new invite code; the old one is answered with 410 from now on. */
export function revokeInvite(network: Network, group: Group, actor: Account): Refusal | undefined {
  if (!group.isAdmin(actor)) return new Refusal(401);
  group.revokeCode();
  return announce(network, group, actor, node("invite", { code: group.inviteCode }));
}

/** Whether somebody may change what a group is called and looks like. */
export function mayEdit(group: Group, actor: Account): boolean {
  return group.settings.locked ? group.isAdmin(actor) : group.members.has(actor.number);
}

function announce(network: Network, group: Group, actor: Account, change: BinaryNode): undefined {
  network.changed(group);
  tellMembers(network, group, actor, change);
}

/** The notification that says how a setting is now (Baileys Socket/messages-recv.js, `handleGroupNotification`). */
const DESCRIBED: Record<keyof GroupSettings, (group: Group) => BinaryNode> = {
  announcement: ({ settings }) => node(settings.announcement ? "announcement" : "not_announcement"),
  locked: ({ settings }) => node(settings.locked ? "locked" : "unlocked"),
  adminsAdd: (group) => node("member_add_mode", {}, Buffer.from(memberAddMode(group))),
  joinApproval: ({ settings }) =>
    node("membership_approval_mode", {}, [node("group_join", { state: settings.joinApproval ? "on" : "off" })]),
  ephemeralSeconds: ({ settings }) =>
    settings.ephemeralSeconds > 0
      ? node("ephemeral", { expiration: String(settings.ephemeralSeconds) })
      : node("not_ephemeral"),
};
