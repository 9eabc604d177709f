import "../quiet.ts";
import { getAllBinaryNodeChildren, getBinaryNodeChild, getBinaryNodeChildren } from "@whiskeysockets/baileys";
import type { BinaryNode } from "@whiskeysockets/baileys";
import type { EventBody, GroupParticipants, GroupUpdated, NewEvent } from "../../../shared/events.ts";
import { GROUP_SERVER, parseJid } from "../../../shared/jid.ts";
import type { Addresses } from "../../../shared/message.ts";
import type { AddressBook } from "../address-book.ts";
import { isoTime } from "./message-parts.ts";

type Changes = GroupUpdated["data"]["changes"];
type Action = GroupParticipants["data"]["action"];

/**
 * What a notification says about a group: who came and went, what it is called and who may do what (the stanzas:
 * lib/Socket/messages-recv.js, handleGroupNotification). Empty for every other notification.
 */
export function groupFacts(node: BinaryNode, book: AddressBook): NewEvent[] {
  const { from = "", id, type, t, notify } = node.attrs;
  if (!id || parseJid(from)?.server !== GROUP_SERVER) return [];
  const actor = actorOf(node, book);
  const author = actor.jid ? { ...actor, name: notify ?? null } : null;
  const about = { group: from, author };
  const bodies = getAllBinaryNodeChildren(node).flatMap((child): EventBody[] => {
    const changes = type === "picture" ? pictureChange(child) : type === "w:gp2" ? changeOf(child) : undefined;
    if (changes) return [{ type: "group.updated", data: { ...about, action: "updated", changes } }];
    return type === "w:gp2" ? otherFacts(child, about, actor, book) : [];
  });
  const at = new Date(isoTime(t) ?? Date.now());
  return bodies.map((body, index) => ({ ...body, dedupeKey: `group|${from}|${id}|${t}|${index}`, occurredAt: at }));
}

function actorOf({ attrs, content }: BinaryNode, book: AddressBook): Addresses {
  const named = Array.isArray(content) ? content.flatMap((child) => child.attrs["author"] ?? []) : [];
  return book.addressesOf(attrs["participant"], attrs["participant_pn"], attrs["participant_lid"], ...named);
}

/** What of a group's settings a child of the notification says to be different from now on. */
function changeOf(child: BinaryNode): Changes | undefined {
  const { attrs } = child;
  switch (child.tag) {
    case "subject":
      return { subject: attrs["subject"] ?? "" };
    case "description":
      return { description: textOf(getBinaryNodeChild(child, "body")) || null };
    case "announcement":
    case "not_announcement":
      return { announcement: child.tag === "announcement" };
    case "locked":
    case "unlocked":
      return { locked: child.tag === "locked" };
    case "ephemeral":
    case "not_ephemeral":
      return { disappearingSeconds: child.tag === "ephemeral" ? Number(attrs["expiration"] ?? 0) : 0 };
    case "member_add_mode":
      return { onlyAdminsAdd: textOf(child) === "admin_add" };
    case "membership_approval_mode":
      return { joinApproval: getBinaryNodeChild(child, "group_join")?.attrs["state"] === "on" };
    case "invite":
      return { inviteCode: attrs["code"] ?? "" };
    default:
      return undefined;
  }
}

const pictureChange = ({ tag }: BinaryNode): Changes | undefined =>
  tag === "set" ? { picture: "changed" } : tag === "delete" ? { picture: "removed" } : undefined;

type About = Pick<GroupUpdated["data"], "group" | "author">;

function otherFacts(child: BinaryNode, about: About, actor: Addresses, book: AddressBook): EventBody[] {
  if (child.tag === "create") {
    const action = child.attrs["type"] === "new" ? "created" : "joined";
    return [
      { type: "group.updated", data: { ...about, action, changes: settingsOf(getBinaryNodeChild(child, "group")) } },
    ];
  }
  if (child.tag === "delete") return [{ type: "group.updated", data: { ...about, action: "deleted", changes: {} } }];
  const people = peopleOf(child, actor, book);
  const action = actionOf(child, people, actor);
  const method = child.attrs["reason"] ?? child.attrs["request_method"] ?? null;
  return action ? [{ type: "group.participants", data: { ...about, action, participants: people, method } }] : [];
}

/** The whole group, told to those who are new in it. */
function settingsOf(group: BinaryNode | undefined): Changes {
  if (!group) return {};
  const settings = getAllBinaryNodeChildren(group).map(changeOf);
  return Object.assign({ subject: group.attrs["subject"] ?? "" }, ...settings) as Changes;
}

function peopleOf(child: BinaryNode, actor: Addresses, book: AddressBook): Addresses[] {
  const named = ["participant", "requested_user"].flatMap((tag) => getBinaryNodeChildren(child, tag));
  const people = named.map(({ attrs }) => book.addressesOf(attrs["jid"], attrs["phone_number"], attrs["lid"]));
  // A request to join may name nobody but who acts.
  return people.length ? people : [actor];
}

function actionOf({ tag }: BinaryNode, people: readonly Addresses[], actor: Addresses): Action | undefined {
  const isOwn = people.length === 1 && people[0]?.jid === actor.jid;
  switch (tag) {
    case "add":
    case "promote":
    case "demote":
      return tag;
    case "remove":
      return isOwn ? "leave" : "remove";
    case "leave":
      return "leave";
    case "modify":
      return "change_number";
    case "created_membership_requests":
      return "join_request";
    case "revoked_membership_requests":
      return isOwn ? "join_request_withdrawn" : "join_request_rejected";
    default:
      return undefined;
  }
}

function textOf(node: BinaryNode | undefined): string {
  const { content } = node ?? {};
  return typeof content === "string" ? content : content instanceof Uint8Array ? Buffer.from(content).toString() : "";
}
