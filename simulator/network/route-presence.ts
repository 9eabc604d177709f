import { lidJid, parseJid, pnJid } from "../wire/jid.ts";
import { node, type BinaryNode } from "../wire/node.ts";
import type { Account } from "./account.ts";
import type { Endpoint } from "./endpoint.ts";
import type { LinkedDevice } from "./linked-device.ts";
import type { Network } from "./network.ts";

/** A device says that somebody looks at it or not, and under which name; or wants to know that of somebody else. */
export function takePresence(network: Network, device: LinkedDevice, { attrs }: BinaryNode): void {
  const { account } = device;
  if (attrs["type"] === "subscribe") {
    const other = network.find(attrs["to"]);
    if (other?.profile.blocked.has(account.number)) return;
    other?.presence.subscribe(device, parseJid(attrs["to"])?.server === "lid");
    return;
  }
  device.isAvailable = attrs["type"] !== "unavailable";
  account.presence.refresh();
  const { name } = attrs;
  if (name && name !== account.name) {
    account.name = name;
    network.changed(account);
  }
}

/** Typing, recording, or no longer: goes to the others' devices that are there at this moment (Baileys Socket/chats.js). */
export function routeChatState(
  network: Network,
  sender: Endpoint,
  to: string | undefined,
  content: BinaryNode[],
): void {
  const { account } = sender;
  const group = network.groups.find(to ?? "");
  if (group?.members.has(account.number)) {
    const others = [...group.members.keys()].flatMap((number) => network.account(number) ?? []);
    tell(account, others, node("chatstate", { from: group.id, participant: group.jidOf(account) }, content));
  }
  const person = network.find(to);
  if (!person) return;
  const from = parseJid(to)?.server === "lid" ? lidJid(account.lid) : pnJid(account.number);
  tell(account, [person], node("chatstate", { from }, content));
}

function tell(sender: Account, others: Account[], stanza: BinaryNode): void {
  for (const other of others) {
    if (other === sender || other.profile.blocked.has(sender.number)) continue;
    for (const device of other.devices.values()) device.send(stanza);
  }
}
