import type { GroupMetadata, GroupParticipant } from "@whiskeysockets/baileys";
import type { GroupInfo, GroupSummary } from "../../shared/groups.ts";
import type { AddressBook } from "./address-book.ts";

/** A group as clients see it, without who is in it. */
export function groupSummary(group: GroupMetadata, book: AddressBook): GroupSummary {
  const self = book.self().jid;
  const own = group.participants.find((person) => addressesOf(person, book).jid === self);
  return {
    id: group.id,
    subject: group.subject,
    description: group.desc ?? null,
    owner: group.owner || group.ownerPn ? book.addressesOf(group.owner, group.ownerPn).jid : null,
    createdAt: group.creation ? new Date(group.creation * 1000).toISOString() : null,
    size: group.size ?? group.participants.length,
    isAdmin: Boolean(own?.admin),
    announcement: group.announce === true,
    locked: group.restrict === true,
    disappearingSeconds: group.ephemeralDuration ?? 0,
  };
}

/** All of it. */
export const groupInfo = (group: GroupMetadata, book: AddressBook): GroupInfo => ({
  ...groupSummary(group, book),
  participants: group.participants.map((person) => {
    const { jid, phone, lid } = addressesOf(person, book);
    return { jid, phoneNumber: phone, lid, role: person.admin ?? "member" };
  }),
});

const addressesOf = ({ id, phoneNumber, lid }: GroupParticipant, book: AddressBook) =>
  book.addressesOf(id, phoneNumber, lid);
