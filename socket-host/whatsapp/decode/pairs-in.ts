import "../quiet.ts";
import { getAllBinaryNodeChildren } from "@whiskeysockets/baileys";
import type { BinaryNode } from "@whiskeysockets/baileys";
import { LID_SERVER, USER_SERVER, parseJid } from "../../../shared/jid.ts";
import type { Pair } from "../address-book.ts";

/** More people than a group has. */
const MAX_PAIRS = 1_100;

/** Who a stanza names by phone number and LID side by side: whoever acts, and the people that it lists. */
export function pairsIn(node: BinaryNode): Pair[] {
  const { participant, participant_pn: phone, participant_lid: lid } = node.attrs;
  return [...pairOf(participant, phone, lid), ...listed(node)].slice(0, MAX_PAIRS);
}

function listed(node: BinaryNode): Pair[] {
  return getAllBinaryNodeChildren(node).flatMap((child) => [
    ...pairOf(child.attrs["jid"], child.attrs["phone_number"], child.attrs["lid"]),
    ...listed(child),
  ]);
}

function pairOf(...names: (string | undefined)[]): Pair[] {
  const known = names.flatMap((name) => parseJid(name ?? "") ?? []);
  const phone = known.find(({ server }) => server === USER_SERVER)?.user;
  const lid = known.find(({ server }) => server === LID_SERVER)?.user;
  return phone && lid ? [{ phone, lid }] : [];
}
