import { Refusal } from "../answers/refusal.ts";
import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { node, nowSeconds } from "../wire/node.ts";
import { addresses, describeGroup, describeMember } from "./describe-group.ts";
import { MAX_MEMBERS, type Group } from "./group.ts";
import { tellMembers } from "./tell-members.ts";

/**
 * How it went for one person. `code` is 200, or what WhatsApp's clients know: 403 the privacy settings forbid it (then
 * `invitation` is the code of a personal invitation), 404 nobody has that number, 408 has just left, 409 is a member already.
 */
export type MemberOutcome = { jid: string; account?: Account | undefined; code: number; invitation?: string };
export type Wanted = { jid: string; account: Account | undefined };

/** Names are at most this long (406 otherwise). */
export const MAX_SUBJECT = 100;

/** Creates a group with everyone who can be added; `outcomes` says who could not. */
export function createGroup(
  network: Network,
  creator: Account,
  order: { subject: string; wanted: Wanted[]; addressing: "lid" | "pn"; key?: string | undefined },
): { group: Group; outcomes: MemberOutcome[] } | Refusal {
  const { subject, wanted, addressing, key } = order;
  if (subject.length === 0 || subject.length > MAX_SUBJECT) return new Refusal(406);
  if (network.groups.isFull) return new Refusal(419);
  const group = network.groups.create({
    creator: creator.number,
    subject,
    addressing,
    atSeconds: Number(nowSeconds()),
  });
  network.keep(group);
  const others = wanted.filter(({ account }) => account !== creator);
  const outcomes = others.map((each) => admit(network, group, creator, each));
  network.changed(group);
  tellMembers(network, group, creator, node("create", { type: "new", key }, [describeGroup(network, group)]));
  return { group, outcomes };
}

export function addMembers(
  network: Network,
  group: Group,
  actor: Account,
  wanted: Wanted[],
): MemberOutcome[] | Refusal {
  if (!group.members.has(actor.number)) return new Refusal(403);
  if (group.settings.adminsAdd && !group.isAdmin(actor)) return new Refusal(403);
  const outcomes = wanted.map((each) => admit(network, group, actor, each));
  const added = outcomes.flatMap(({ account, code }) => (account && code === 200 ? [account] : []));
  welcome(network, group, actor, added);
  return outcomes;
}

export function removeMembers(
  network: Network,
  group: Group,
  actor: Account,
  wanted: Wanted[],
): MemberOutcome[] | Refusal {
  if (!group.isAdmin(actor)) return new Refusal(403);
  const removed: Account[] = [];
  const outcomes = wanted.map(({ jid, account }) => {
    const role = account && group.members.get(account.number);
    if (!account || !role) return { jid, account, code: 404 };
    if (role === "superadmin" && account !== actor) return { jid, account, code: 403 };
    group.members.delete(account.number);
    removed.push(account);
    return { jid, account, code: 200 };
  });
  bidFarewell(network, group, actor, removed);
  return outcomes;
}

export function setAdmins(
  network: Network,
  group: Group,
  actor: Account,
  { change, wanted }: { change: "promote" | "demote"; wanted: Wanted[] },
): MemberOutcome[] | Refusal {
  if (!group.isAdmin(actor)) return new Refusal(403);
  const changed: Account[] = [];
  const outcomes = wanted.map(({ jid, account }) => {
    const role = account && group.members.get(account.number);
    if (!account || !role) return { jid, account, code: 404 };
    if (role === "superadmin") return { jid, account, code: change === "promote" ? 409 : 403 };
    if (role === (change === "promote" ? "admin" : "member")) return { jid, account, code: 409 };
    group.members.set(account.number, change === "promote" ? "admin" : "member");
    changed.push(account);
    return { jid, account, code: 200 };
  });
  announce(network, group, actor, { change, people: changed });
  return outcomes;
}

/** Somebody leaves. If no admin is left, the one who has been there longest becomes one. */
export function leaveGroup(network: Network, group: Group, actor: Account): Refusal | undefined {
  if (!group.members.has(actor.number)) return new Refusal(404);
  group.leave(actor, network.clock.now());
  bidFarewell(network, group, actor, [actor]);
  const [heir] = [...group.members.keys()].flatMap((number) => network.account(number) ?? []);
  if (heir && ![...group.members.values()].some((role) => role !== "member")) {
    group.members.set(heir.number, "admin");
    announce(network, group, heir, { change: "promote", people: [heir] });
  }
  return undefined;
}

/** Somebody comes by an invite link: is in, or has to wait for an admin. */
export function joinByCode(network: Network, actor: Account, code: string): { group: Group; isIn: boolean } | Refusal {
  const group = network.groups.byCode(code);
  if (!group) return new Refusal(406);
  if (group.wasRevoked(code)) return new Refusal(410);
  if (group.members.has(actor.number)) return new Refusal(409);
  if (group.members.size >= MAX_MEMBERS) return new Refusal(419);
  if (group.settings.joinApproval) {
    ask(network, group, actor);
    return { group, isIn: false };
  }
  group.join(actor);
  welcome(network, group, actor, [actor], "invite");
  return { group, isIn: true };
}

/** Somebody who could not be added comes by the personal invitation that was sent instead. */
export function joinByInvitation(network: Network, group: Group, actor: Account, code: string): Refusal | undefined {
  if (!group.takeInvitation(code, actor)) return new Refusal(406);
  if (group.members.has(actor.number)) return new Refusal(409);
  group.join(actor);
  welcome(network, group, actor, [actor], "invite");
  return undefined;
}

export function decideRequests(
  network: Network,
  group: Group,
  actor: Account,
  { decision, wanted }: { decision: "approve" | "reject"; wanted: Wanted[] },
): MemberOutcome[] | Refusal {
  if (!group.isAdmin(actor)) return new Refusal(403);
  const decided: Account[] = [];
  const outcomes = wanted.map(({ jid, account }) => {
    if (!account || !group.requests.delete(account.number)) return { jid, account, code: 404 };
    if (decision === "approve") group.join(account);
    decided.push(account);
    return { jid, account, code: 200 };
  });
  if (decision === "approve") welcome(network, group, actor, decided);
  else for (const account of decided) announceRejection(network, group, actor, account);
  network.changed(group);
  return outcomes;
}

function admit(network: Network, group: Group, actor: Account, { jid, account }: Wanted): MemberOutcome {
  if (!account) return { jid, account, code: 404 };
  if (group.members.has(account.number)) return { jid, account, code: 409 };
  if (group.members.size >= MAX_MEMBERS) return { jid, account, code: 419 };
  if (group.hasJustLeft(account, network.clock.now())) return { jid, account, code: 408 };
  if (!account.mayBeAddedBy(actor)) return { jid, account, code: 403, invitation: group.invite(account) };
  group.join(account);
  return { jid, account, code: 200 };
}

/**
 * Those who are new get the whole group, the others hear of the new ones (whatsmeow types/events, `JoinedGroup`; that a
 * Baileys client which is added gets `create` and no `add` was also seen by rmyndharis/OpenWA, pull request 1646).
 */
function welcome(network: Network, group: Group, actor: Account, added: Account[], reason?: "invite"): void {
  if (added.length === 0) return;
  network.changed(group);
  const before = [...group.members.keys()].flatMap((number) => network.account(number) ?? []);
  const change = node(
    "add",
    { reason },
    added.map((account) => describeMember(group, account)),
  );
  tellMembers(network, group, actor, change, { only: before.filter((account) => !added.includes(account)) });
  tellMembers(network, group, actor, node("create", { reason }, [describeGroup(network, group)]), { only: added });
}

function bidFarewell(network: Network, group: Group, actor: Account, gone: Account[]): void {
  if (gone.length === 0) return;
  network.changed(group);
  const people = gone.map((account) => node("participant", addresses(group, account)));
  tellMembers(network, group, actor, node("remove", {}, people), { besides: gone });
}

function announce(
  network: Network,
  group: Group,
  actor: Account,
  { change, people }: { change: "promote" | "demote"; people: Account[] },
): void {
  if (people.length === 0) return;
  network.changed(group);
  const described = people.map((account) => describeMember(group, account));
  tellMembers(network, group, actor, node(change, {}, described));
}

/** Admins hear of a request to join. */
function ask(network: Network, group: Group, actor: Account): void {
  group.request(actor, Number(nowSeconds()));
  network.changed(group);
  const request = node("created_membership_requests", { request_method: "invite_link" }, [
    node("requested_user", addresses(group, actor)),
  ]);
  tellMembers(network, group, actor, request, { only: adminsOf(network, group) });
}

function announceRejection(network: Network, group: Group, actor: Account, rejected: Account): void {
  const change = node("revoked_membership_requests", {}, [node("participant", addresses(group, rejected))]);
  tellMembers(network, group, actor, change, { only: adminsOf(network, group) });
}

function adminsOf(network: Network, group: Group): Account[] {
  return [...group.members.keys()]
    .flatMap((number) => network.account(number) ?? [])
    .filter((account) => group.isAdmin(account));
}
