import "../quiet.ts";
import { getBinaryNodeChild, getBinaryNodeChildren } from "@whiskeysockets/baileys";
import type { BinaryNode } from "@whiskeysockets/baileys";
import type { MessageStatus } from "../../../shared/events.ts";
import type { Addresses } from "../../../shared/message.ts";
import type { AddressBook } from "../address-book.ts";

/** What a receipt says about messages of ours. `participant` is who it is of in a group, null in a chat with one person. */
export type Receipt = {
  chat: string;
  participant: Addresses | null;
  messageIds: string[];
  status: MessageStatus["data"]["status"];
};

/**
 * No type means delivered, `inactive` delivered to a device whose owner is not looking. All other types are between our
 * own devices or ask for a retry (lib/Socket/messages-recv.js, handleReceipt).
 */
const STATUS = new Map<string | undefined, Receipt["status"]>([
  [undefined, "delivered"],
  ["inactive", "delivered"],
  ["read", "read"],
  ["played", "played"],
]);

/**
 * Receipts of other people for our messages. Those of a large group come several in one stanza: `<participants key>` with
 * a `<user>` for each (whatsmeow, receipt.go, handleGroupedReceipt).
 */
export function receiptsOf({ attrs, content }: BinaryNode, book: AddressBook): Receipt[] {
  const { id, from = "", participant, recipient } = attrs;
  const status = STATUS.get(attrs["type"]);
  // A receipt with a recipient is our own other device's.
  if (!status || !id || recipient) return [];
  const self = book.self().jid;
  const isOther = (receipt: Receipt) => receipt.chat !== self && receipt.participant?.jid !== self;
  const node = { tag: "receipt", attrs, ...(content !== undefined && { content }) };
  const grouped = getBinaryNodeChildren(node, "participants").flatMap((list) =>
    getBinaryNodeChildren(list, "user").map(({ attrs: user }) => ({
      chat: from,
      participant: book.addressesOf(user["jid"]),
      messageIds: [list.attrs["key"] ?? id],
      status,
    })),
  );
  if (grouped.length) return grouped.filter(isOther);
  const items = getBinaryNodeChildren(getBinaryNodeChild(node, "list"), "item");
  const messageIds = [id, ...items.flatMap((item) => item.attrs["id"] ?? [])];
  const reader = participant
    ? book.addressesOf(participant, attrs["participant_pn"], attrs["participant_lid"])
    : book.addressesOf(from, attrs["sender_pn"], attrs["sender_lid"]);
  if (!reader.jid) return [];
  const one = { messageIds: [...new Set(messageIds)], status };
  const receipt = participant
    ? { chat: book.addressesOf(from).jid, participant: reader, ...one }
    : { chat: reader.jid, participant: null, ...one };
  return [receipt].filter(isOther);
}
