import "../quiet.ts";
import { getAllBinaryNodeChildren, getBinaryNodeChild } from "@whiskeysockets/baileys";
import type { BinaryNode } from "@whiskeysockets/baileys";
import type { CallReceived, NewEvent } from "../../../shared/events.ts";
import type { AddressBook } from "../address-book.ts";
import { isoTime } from "./message-parts.ts";

type Status = CallReceived["data"]["status"];

/**
 * A call to this account, and what became of it (the stanzas: lib/Socket/messages-recv.js, handleCall, and
 * lib/Utils/generics.js, getCallStatusFromNode). What goes between the two ends while it is set up is passed over.
 */
export function callFacts(node: BinaryNode, book: AddressBook): NewEvent[] {
  const [child] = getAllBinaryNodeChildren(node);
  const status = child && statusOf(child);
  const callId = child?.attrs["call-id"];
  if (!child || !status || !callId) return [];
  const { attrs } = child;
  const caller = book.addressesOf(attrs["call-creator"], attrs["caller_pn"], attrs["from"], node.attrs["from"]);
  const from = { ...caller, name: node.attrs["notify"] ?? null };
  const group = attrs["group-jid"] ?? null;
  const isGroup = group !== null || attrs["type"] === "group";
  const offer =
    status === "offered" ? { isVideo: getBinaryNodeChild(child, "video") !== undefined, isGroup, group } : {};
  return [
    {
      type: "call.received",
      dedupeKey: `call|${callId}|${status}`,
      occurredAt: new Date(isoTime(node.attrs["t"]) ?? Date.now()),
      data: { callId, from, status, ...offer },
    },
  ];
}

function statusOf({ tag, attrs }: BinaryNode): Status | undefined {
  switch (tag) {
    case "offer":
    case "offer_notice":
      return "offered";
    case "accept":
      return "accepted_elsewhere";
    case "reject":
      return "rejected";
    case "terminate":
      return OUTCOMES[attrs["reason"] ?? ""] ?? "ended";
    default:
      return undefined;
  }
}

/** Why a call that was offered is over: as WhatsApp's clients write it. */
const OUTCOMES: Record<string, Status> = {
  timeout: "missed",
  accepted_elsewhere: "accepted_elsewhere",
  rejected_elsewhere: "rejected",
  reject: "rejected",
};
