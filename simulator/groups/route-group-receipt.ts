import type { Endpoint } from "../network/endpoint.ts";
import type { Network } from "../network/network.ts";
import { parseJid, pnJid } from "../wire/jid.ts";
import { attribute, node, nowSeconds, type BinaryNode } from "../wire/node.ts";

const PUBLIC_TYPES = new Set([undefined, "inactive", "read", "played"]);

/**
 * Takes a `<receipt>` for a message in a group; `participant` is its author. A retry goes to the device that sent the message
 * and says which device asks; delivered, read and played go to all devices linked to the author, in the reader's name.
 */
export function routeGroupReceipt(network: Network, sender: Endpoint, stanza: BinaryNode): void {
  const { type, to = "", participant } = stanza.attrs;
  const group = network.groups.find(to);
  const author = network.find(participant);
  if (!group?.members.has(sender.account.number) || !author) return;
  const id = attribute(stanza, "id");
  const attributes = { id, from: group.id, t: nowSeconds() };
  if (type === "retry") {
    const device = parseJid(participant)?.device ?? 0;
    network.stats.countRetry(sender.device === 0 ? "fromPhones" : "fromDevices", pnJid(author.number, device), id);
    const asker = group.jidOf(sender.account, sender.device);
    author.endpoint(device)?.deliver(node("receipt", { ...attributes, participant: asker, type }, stanza.content));
    return;
  }
  if (author === sender.account || !PUBLIC_TYPES.has(type)) return;
  const reader = { participant: group.jidOf(sender.account), type: type === "inactive" ? undefined : type };
  for (const device of author.devices.values()) {
    device.deliver(node("receipt", { ...attributes, ...reader }, stanza.content));
  }
}
