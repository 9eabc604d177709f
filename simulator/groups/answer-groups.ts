import type { Answer, Query } from "../answers/answer-iq.ts";
import { Refusal } from "../answers/refusal.ts";
import { isGroupJid } from "../wire/jid.ts";
import { attribute, child, childText, children, node, text, type BinaryNode } from "../wire/node.ts";
import { changeDescription, changeSettings, changeSubject, revokeInvite } from "./change-group.ts";
import { describeGroup } from "./describe-group.ts";
import type { Group, GroupSettings } from "./group.ts";
import {
  addMembers,
  createGroup,
  decideRequests,
  joinByCode,
  joinByInvitation,
  leaveGroup,
  removeMembers,
  setAdmins,
  type MemberOutcome,
  type Wanted,
} from "./membership.ts";

type GroupQuery = Query & { request: BinaryNode };

/**
 * Groups (`w:g2`): shapes by Baileys Socket/groups.js; the codes of refusals by whatsmeow group.go: 404 no such group,
 * 403 not in it or not allowed, 401 for invite codes that only admins see, 406 and 410 for codes that are wrong or revoked.
 */
export function answerGroups(query: Query): Answer {
  const { network, iq, request } = query;
  if (!request) return undefined;
  const to = iq.attrs["to"];
  if (!isGroupJid(to) || to === "@g.us") return answerAboutGroups({ ...query, request });
  const group = network.groups.find(to ?? "");
  if (!group) return new Refusal(404);
  return answerAboutGroup({ ...query, request }, group);
}

/** What is not for one group: to make one, to list one's own, to leave some, to come by an invite link. */
function answerAboutGroups(query: GroupQuery): Answer {
  const { network, device, iq, request } = query;
  const { account } = device;
  switch (request.tag) {
    case "create":
      return create(query);
    case "participating": {
      const groups = network.groups.of(account.number).map((group) => describeGroup(network, group));
      return [node("groups", {}, groups)];
    }
    case "leave":
      for (const { attrs } of children(request, "group")) {
        const group = network.groups.find(attrs["id"] ?? "");
        const refusal = group ? leaveGroup(network, group, account) : new Refusal(404);
        if (refusal) return refusal;
      }
      return [node("leave", {}, children(request, "group"))];
    case "invite": {
      const code = attribute(request, "code");
      return iq.attrs["type"] === "get" ? showInvited(query, code) : join(query, code);
    }
    default:
      return undefined;
  }
}

function create({ network, device, request }: GroupQuery): Answer {
  const created = createGroup(network, device.account, {
    subject: request.attrs["subject"] ?? "",
    wanted: wantedIn({ network }, request),
    addressing: "lid",
    key: request.attrs["key"],
  });
  if (created instanceof Refusal) return created;
  const failed = created.outcomes.filter(({ code }) => code !== 200).map(describeOutcome);
  return [describeGroup(network, created.group, { failed })];
}

function showInvited({ network }: GroupQuery, code: string): Answer {
  const group = network.groups.byCode(code);
  if (!group) return new Refusal(406);
  return group.wasRevoked(code) ? new Refusal(410) : [describeGroup(network, group, { detail: "without-members" })];
}

function join({ network, device }: GroupQuery, code: string): Answer {
  const joined = joinByCode(network, device.account, code);
  if (joined instanceof Refusal) return joined;
  return [node(joined.isIn ? "group" : "membership_approval_request", { jid: joined.group.id })];
}

function answerAboutGroup(query: GroupQuery, group: Group): Answer {
  const { network, device, iq, request } = query;
  const { account } = device;
  if (request.tag === "accept") return joinByInvitation(network, group, account, attribute(request, "code"));
  if (!group.members.has(account.number)) return new Refusal(403);
  if (iq.attrs["type"] === "get") return tell(query, group);
  const wanted = wantedIn(query, request);
  switch (request.tag) {
    case "add":
      return answerOutcomes(request.tag, addMembers(network, group, account, wanted));
    case "remove":
      return answerOutcomes(request.tag, removeMembers(network, group, account, wanted));
    case "promote":
    case "demote":
      return answerOutcomes(request.tag, setAdmins(network, group, account, { change: request.tag, wanted }));
    case "membership_requests_action":
      return decide(query, group);
    case "revoke":
      if (!group.isAdmin(account)) return new Refusal(403);
      for (const each of wanted) if (each.account) group.withdrawInvitations(each.account);
      network.changed(group);
      return undefined;
    case "subject":
      return changeSubject(network, group, account, text(request));
    case "description": {
      const { id = network.nextId(), prev } = request.attrs;
      return changeDescription(network, group, account, { id, text: childText(request, "body"), replaces: prev });
    }
    case "invite":
      return revokeInvite(network, group, account) ?? [node("invite", { code: group.inviteCode })];
    default: {
      const change = SETTINGS.get(request.tag)?.(request);
      return change && changeSettings(network, group, account, change);
    }
  }
}

function tell({ network, device, request }: GroupQuery, group: Group): Answer {
  switch (request.tag) {
    case "query":
      return [describeGroup(network, group)];
    case "invite":
      return group.isAdmin(device.account) ? [node("invite", { code: group.inviteCode })] : new Refusal(401);
    case "membership_approval_requests": {
      if (!group.isAdmin(device.account)) return new Refusal(403);
      const requests = [...group.requests].flatMap(([number, at]) => {
        const asking = network.account(number);
        const attributes = { request_method: "invite_link", request_time: String(at) };
        return asking ? [node("membership_approval_request", { jid: group.jidOf(asking), ...attributes })] : [];
      });
      return [node("membership_approval_requests", {}, requests)];
    }
    default:
      return undefined;
  }
}

function decide(query: GroupQuery, group: Group): Answer {
  const { network, device, request } = query;
  const [action] = children(request);
  const decision = action?.tag;
  if (decision !== "approve" && decision !== "reject") return new Refusal(400);
  const wanted = wantedIn(query, action);
  const outcomes = decideRequests(network, group, device.account, { decision, wanted });
  const answer = answerOutcomes(decision, outcomes);
  return Array.isArray(answer) ? [node(request.tag, {}, answer)] : answer;
}

const SETTINGS = new Map<string, (request: BinaryNode) => Partial<GroupSettings>>([
  ["announcement", () => ({ announcement: true })],
  ["not_announcement", () => ({ announcement: false })],
  ["locked", () => ({ locked: true })],
  ["unlocked", () => ({ locked: false })],
  ["not_ephemeral", () => ({ ephemeralSeconds: 0 })],
  ["ephemeral", ({ attrs }) => ({ ephemeralSeconds: Math.max(0, Math.floor(Number(attrs["expiration"]) || 0)) })],
  ["member_add_mode", (request) => ({ adminsAdd: text(request) === "admin_add" })],
  ["membership_approval_mode", (request) => ({ joinApproval: child(request, "group_join")?.attrs["state"] === "on" })],
]);

function wantedIn({ network }: Pick<Query, "network">, parent: BinaryNode | undefined): Wanted[] {
  return children(parent, "participant").map((participant) => {
    const jid = attribute(participant, "jid");
    return { jid, account: network.find(jid) };
  });
}

function answerOutcomes(tag: string, outcomes: MemberOutcome[] | Refusal): Answer {
  return outcomes instanceof Refusal ? outcomes : [node(tag, {}, outcomes.map(describeOutcome))];
}

function describeOutcome({ jid, code, invitation }: MemberOutcome): BinaryNode {
  const expiration = String(Math.floor(Date.now() / 1_000) + 3 * 24 * 60 * 60);
  const content = invitation === undefined ? undefined : [node("add_request", { code: invitation, expiration })];
  return node("participant", { jid, error: code === 200 ? undefined : String(code) }, content);
}
