import { isGroupJid, lidJid, parseJid, pnJid, PN_SERVER } from "../wire/jid.ts";
import { attribute, child, children, node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import { routeGroupMessage } from "../groups/route-group-message.ts";
import { corrupted } from "./corrupted.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Network } from "./network.ts";

/**
 * Takes a `<message>` from a device or a phone and delivers its copies. A fan-out has one `<enc>` per device under
 * `<participants>`; a retry or a peer message has a bare `<enc>` and is for the one device in `to`, whatever list it
 * carries besides (Baileys Socket/messages-send.js, `relayMessage`). Copies for devices that do not exist are dropped,
 * and so is the message if nobody has that number: Baileys' sender hears of it no more than of one that arrives.
 * What is neither for a person nor for a group (status, newsletters) goes nowhere. Answers the code with which the message is
 * refused, if it is. Throws `Malformed` if parts are missing.
 */
export function routeMessage(network: Network, sender: Endpoint, stanza: BinaryNode): number | undefined {
  const id = attribute(stanza, "id");
  const to = attribute(stanza, "to");
  if (isGroupJid(to)) return routeGroupMessage(network, sender, stanza);
  if (!isPersonal(to)) return undefined;
  const direct = child(stanza, "enc");
  if (direct) {
    deliverCopy(network, sender, stanza, { jid: to, enc: direct });
    return undefined;
  }
  network.stats.countMessage(pnJid(sender.account.number, sender.device), id);
  for (const copy of children(child(stanza, "participants"), "to")) {
    const enc = child(copy, "enc");
    if (enc) deliverCopy(network, sender, stanza, { jid: attribute(copy, "jid"), enc });
  }
  return undefined;
}

function isPersonal(jid: string): boolean {
  const server = parseJid(jid)?.server;
  return server === PN_SERVER || server === "lid";
}

function deliverCopy(
  network: Network,
  sender: Endpoint,
  stanza: BinaryNode,
  { jid, enc }: { jid: string; enc: BinaryNode },
): void {
  const target = network.endpoint(jid);
  if (!target || target === sender || !mayReach(network, sender, stanza, target)) return;
  const isByLid = parseJid(jid)?.server === "lid";
  const { id, type, category, edit } = stanza.attrs;
  const { account, device } = sender;
  const attributes = {
    id,
    type,
    category,
    edit,
    t: nowSeconds(),
    from: isByLid ? lidJid(account.lid, device) : pnJid(account.number, device),
    notify: account.name,
    ...(target.account === account ? ownCopyAttributes(network, stanza) : senderAttributes(sender, isByLid)),
  };
  const place = { phone: target.account.number, device: target.device };
  const isCorrupt = network.faults.take("corrupt-message", place) !== undefined;
  const proof = enc.attrs["type"] === "pkmsg" ? children(stanza, "device-identity") : [];
  target.deliver(node("message", attributes, [isCorrupt ? corrupted(enc) : enc, ...proof]));
}

/** Copies are for the person in `to` and the own devices, peer messages for the own ones; blocked people reach nobody. */
function mayReach(network: Network, sender: Endpoint, { attrs }: BinaryNode, target: Endpoint): boolean {
  if (target.account === sender.account) return true;
  if (attrs["category"] === "peer" || target.account !== network.find(attrs["to"])) return false;
  return !target.account.profile.blocked.has(sender.account.number);
}

/** The other of the sender's two addresses, by which a client links number and LID. */
function senderAttributes({ account }: Endpoint, isByLid: boolean): Record<string, string> {
  if (!isByLid) return { sender_lid: lidJid(account.lid) };
  return { ...(!account.profile.isNumberHidden && { sender_pn: pnJid(account.number) }), addressing_mode: "lid" };
}

/** A copy for the sender's own devices says which chat it belongs to. Peer messages belong to none. */
function ownCopyAttributes(network: Network, stanza: BinaryNode): Record<string, string | undefined> {
  if (stanza.attrs["category"] === "peer") return {};
  const recipient = stanza.attrs["recipient"] ?? attribute(stanza, "to");
  const chat = network.find(recipient);
  const isByLid = parseJid(recipient)?.server === "lid";
  return {
    recipient,
    peer_recipient_pn: chat && isByLid ? pnJid(chat.number) : undefined,
    peer_recipient_lid: chat && !isByLid ? lidJid(chat.lid) : undefined,
  };
}
