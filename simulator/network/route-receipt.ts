import { isGroupJid, lidJid, parseJid, pnJid } from "../wire/jid.ts";
import { attribute, node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import { routeGroupReceipt } from "../groups/route-group-receipt.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Network } from "./network.ts";

/**
 * Takes a `<receipt>` from a device or a phone. `retry` goes to the one device that sent the message; delivered
 * (no type, or `inactive`, which only says that nobody is looking), `read` and `played` go to all devices that are
 * linked to the author, in the name of the reader's account. `server-error` asks the own phone for a file. All other types are between a device and the server
 * (`sender`, `peer_msg`, `hist_sync`) or for the own account (`read-self`), and end here.
 */
export function routeReceipt(network: Network, sender: Endpoint, stanza: BinaryNode): void {
  const { type, to, recipient } = stanza.attrs;
  if (isGroupJid(to)) return routeGroupReceipt(network, sender, stanza);
  if (type === "server-error") {
    const from = pnJid(sender.account.number, sender.device);
    sender.account.phone.deliver({ ...stanza, attrs: { ...stanza.attrs, from } });
    return;
  }
  const author = network.find(to);
  if (!author) return;
  const isByLid = parseJid(to)?.server === "lid";
  const { number, lid } = sender.account;
  const id = attribute(stanza, "id");
  if (type === "retry") {
    const device = parseJid(to)?.device ?? 0;
    const from = isByLid ? lidJid(lid, sender.device) : pnJid(number, sender.device);
    network.stats.countRetry(sender.device === 0 ? "fromPhones" : "fromDevices", pnJid(author.number, device), id);
    author.endpoint(device)?.deliver(node("receipt", { id, from, type, recipient, t: nowSeconds() }, stanza.content));
    return;
  }
  if (author === sender.account || !isPublic(type)) return;
  const attributes = {
    id,
    from: isByLid ? lidJid(lid) : pnJid(number),
    type: type === "inactive" ? undefined : type,
    t: nowSeconds(),
  };
  for (const device of author.devices.values()) device.deliver(node("receipt", attributes, stanza.content));
}

function isPublic(type: string | undefined): boolean {
  return type === undefined || type === "inactive" || type === "read" || type === "played";
}
