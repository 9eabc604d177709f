import type { Endpoint } from "../network/endpoint.ts";
import type { Network } from "../network/network.ts";
import { corrupted } from "../network/corrupted.ts";
import { pnJid } from "../wire/jid.ts";
import { attribute, child, children, node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import type { Group } from "./group.ts";
import { actorAttributes, endpointsOf } from "./tell-members.ts";

/** Codes of refused messages to groups are guesses: no source names them. */
const NO_SUCH_GROUP = 404;
const NOT_ALLOWED = 403;

/**
 * Takes a `<message>` to a group and delivers it to every device of every member, the sender's own other devices included.
 * It has one `skmsg` for all and, under `<participants>`, the sender key for those who do not have it yet; both reach a
 * device in one stanza, the key first (Baileys Socket/messages-send.js, `relayMessage`). A message with a `participant` is
 * the answer to a retry receipt, for that device alone. Answers the code with which the message is refused: not everyone
 * may write to a group.
 */
export function routeGroupMessage(network: Network, sender: Endpoint, stanza: BinaryNode): number | undefined {
  const group = network.groups.find(attribute(stanza, "to"));
  if (!group) return NO_SUCH_GROUP;
  const { account } = sender;
  if (!group.members.has(account.number)) return NOT_ALLOWED;
  if (group.settings.announcement && !group.isAdmin(account)) return NOT_ALLOWED;
  const { participant } = stanza.attrs;
  const enc = child(stanza, "enc");
  if (participant !== undefined) {
    const target = network.endpoint(participant);
    if (target && enc && group.members.has(target.account.number)) {
      deliver(network, group, { sender, stanza, target, encs: [enc] });
    }
    return undefined;
  }
  network.stats.countMessage(pnJid(account.number, sender.device), attribute(stanza, "id"));
  const keys = new Map<Endpoint, BinaryNode>();
  for (const copy of children(child(stanza, "participants"), "to")) {
    const target = network.endpoint(attribute(copy, "jid"));
    const key = child(copy, "enc");
    if (target && key) keys.set(target, key);
  }
  for (const target of endpointsOf(network, group)) {
    if (target === sender) continue;
    const key = keys.get(target);
    const encs = [...(key ? [key] : []), ...(enc ? [enc] : [])];
    if (encs.length > 0) deliver(network, group, { sender, stanza, target, encs });
  }
  return undefined;
}

function deliver(
  network: Network,
  group: Group,
  { sender, stanza, target, encs }: { sender: Endpoint; stanza: BinaryNode; target: Endpoint; encs: BinaryNode[] },
): void {
  const { id, type, category, edit } = stanza.attrs;
  const attributes = {
    id,
    type,
    category,
    edit,
    t: nowSeconds(),
    from: group.id,
    ...actorAttributes(group, sender.account, sender.device),
  };
  const place = { phone: target.account.number, device: target.device, group: group.id };
  const isCorrupt = network.faults.take("corrupt-message", place) !== undefined;
  const shown = isCorrupt ? encs.map((enc, i) => (i === encs.length - 1 ? corrupted(enc) : enc)) : encs;
  const proof = encs.some((enc) => enc.attrs["type"] === "pkmsg") ? children(stanza, "device-identity") : [];
  target.deliver(node("message", attributes, [...shown, ...proof]));
}
