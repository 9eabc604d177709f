import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { node, type BinaryNode } from "../wire/node.ts";
import type { Group } from "./group.ts";

/** The part of a `<group>` that is left out for people who are not in it. */
export type GroupDetail = "whole" | "without-members";

/** `<group>` as Baileys reads it (Socket/groups.js, `extractGroupMetadata`). `failed` are people who could not be added. */
export function describeGroup(
  network: Network,
  group: Group,
  { detail = "whole", failed = [] }: { detail?: GroupDetail; failed?: BinaryNode[] } = {},
): BinaryNode {
  const { settings, description } = group;
  const members = [...group.members.keys()].flatMap((number) => network.account(number) ?? []);
  const content = [
    ...(detail === "whole" ? members.map((member) => describeMember(group, member)) : []),
    ...failed,
    ...(description ? [describeDescription(network, group, description)] : []),
    ...(settings.announcement ? [node("announcement")] : []),
    ...(settings.locked ? [node("locked")] : []),
    ...(settings.ephemeralSeconds > 0 ? [node("ephemeral", { expiration: String(settings.ephemeralSeconds) })] : []),
    ...(settings.joinApproval ? [node("membership_approval_mode", {}, [node("group_join", { state: "on" })])] : []),
    node("member_add_mode", {}, Buffer.from(memberAddMode(group))),
  ];
  const creator = network.account(group.creator);
  const namer = network.account(group.subject.by);
  const attributes = {
    id: group.id.split("@")[0],
    subject: group.subject.text,
    s_t: String(group.subject.at),
    s_o: namer && group.jidOf(namer),
    s_o_pn: namer && numberJidOf(group, namer),
    creation: String(group.createdAt),
    creator: creator && group.jidOf(creator),
    creator_pn: creator && numberJidOf(group, creator),
    addressing_mode: group.addressing,
    size: String(members.length),
  };
  return node("group", attributes, content);
}

/** `<participant>` of somebody who is in a group, or is about to be. */
export function describeMember(group: Group, account: Account): BinaryNode {
  const role = group.members.get(account.number);
  return node("participant", { ...addresses(group, account), type: role === "member" ? undefined : role });
}

/** The attributes by which a client knows both addresses of a person. */
export function addresses(group: Group, account: Account): Record<string, string | undefined> {
  const other = group.addressing === "lid" ? "phone_number" : "lid";
  return { jid: group.jidOf(account), [other]: group.otherJidOf(account) };
}

export function memberAddMode({ settings }: Group): string {
  return settings.adminsAdd ? "admin_add" : "all_member_add";
}

function describeDescription(network: Network, group: Group, { id, text, by, at }: NonNullable<Group["description"]>) {
  const author = network.account(by);
  const attributes = {
    id,
    t: String(at),
    participant: author && group.jidOf(author),
    participant_pn: author && numberJidOf(group, author),
  };
  return node("description", attributes, [node("body", {}, Buffer.from(text))]);
}

/** Only groups that use LIDs name the number besides. */
function numberJidOf(group: Group, account: Account): string | undefined {
  return group.addressing === "lid" ? group.otherJidOf(account) : undefined;
}
