import type { Account } from "../network/account.ts";
import type { Endpoint } from "../network/endpoint.ts";
import type { Network } from "../network/network.ts";
import { node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import type { Group } from "./group.ts";

/** Everyone a message or a notification of a group is for. */
export function endpointsOf(network: Network, group: Group): Endpoint[] {
  return [...group.members.keys()].flatMap((number) => network.account(number)?.endpoints() ?? []);
}

/** By these a stanza of a group names whoever acted (Baileys Utils/decode-wa-message.js, `extractAddressingContext`). */
export function actorAttributes(group: Group, actor: Account, device = 0): Record<string, string | undefined> {
  return {
    participant: group.jidOf(actor, device),
    [group.addressing === "lid" ? "participant_pn" : "participant_lid"]: group.otherJidOf(actor),
    addressing_mode: group.addressing,
    notify: actor.name,
  };
}

/**
 * Notifies of a change (Baileys Socket/messages-recv.js, `handleGroupNotification`): all members with all their devices, the
 * actor's too, and those in `besides`, who are not in the group any more; or those in `only` and nobody else.
 */
export function tellMembers(
  network: Network,
  group: Group,
  actor: Account,
  change: BinaryNode,
  { besides = [], only }: { besides?: Account[]; only?: Account[] } = {},
): void {
  const audience = only?.flatMap((account) => account.endpoints()) ?? [
    ...endpointsOf(network, group),
    ...besides.flatMap((account) => account.endpoints()),
  ];
  const attributes = {
    from: group.id,
    type: "w:gp2",
    id: network.nextId(),
    t: nowSeconds(),
    ...actorAttributes(group, actor),
  };
  for (const endpoint of audience) endpoint.deliver(node("notification", attributes, [change]));
}
