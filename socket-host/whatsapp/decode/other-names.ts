import { LID_SERVER, USER_SERVER, parseJid } from "../../../shared/jid.ts";
import type { AddressBook } from "../address-book.ts";

type Attributes = Record<string, string>;

/**
 * A stanza names people by phone number or by LID, and gives the other name beside it (lib/Utils/decode-wa-message.js,
 * extractAddressingContext). `participant`: the writer in a group; `sender`: in a chat with one person; `recipient`: whom
 * a copy from an own device was written to.
 */
const OTHER_NAMES = {
  participant: ["participant_pn", "participant_lid"],
  sender: ["sender_pn", "sender_lid"],
  recipient: ["peer_recipient_pn", "recipient_pn", "peer_recipient_lid", "recipient_lid"],
} as const;

type Role = keyof typeof OTHER_NAMES;

export const otherNames = (attrs: Attributes, role: Role): string[] =>
  OTHER_NAMES[role].flatMap((name) => attrs[name] ?? []);

/** The attributes with the other name of whoever is named, where it is known by now and not among them. */
export function withOtherNames(attrs: Attributes, book: AddressBook): Attributes {
  const role: Role = attrs["participant"] ? "participant" : attrs["recipient"] ? "recipient" : "sender";
  const named = attrs["participant"] ?? attrs["recipient"] ?? attrs["from"];
  const server = parseJid(named ?? "")?.server;
  if (otherNames(attrs, role).length || (server !== LID_SERVER && server !== USER_SERVER)) return attrs;
  const { phone, lid } = book.addressesOf(named);
  const [byPhone, byLid] = role === "recipient" ? (["recipient_pn", "recipient_lid"] as const) : OTHER_NAMES[role];
  if (server === LID_SERVER) return phone ? { ...attrs, [byPhone]: `${phone}@${USER_SERVER}` } : attrs;
  return lid ? { ...attrs, [byLid]: `${lid}@${LID_SERVER}` } : attrs;
}
