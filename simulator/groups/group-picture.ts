import { randomBytes } from "node:crypto";
import type { Answer, Query } from "../answers/answer-iq.ts";
import { Refusal } from "../answers/refusal.ts";
import { MAX_PICTURE_BYTES, PICTURE_HOST } from "../media/picture-host.ts";
import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { child, node, nowSeconds } from "../wire/node.ts";
import { mayEdit } from "./change-group.ts";
import type { Group } from "./group.ts";

/** The picture of a group (`target`), asked for or set, as with people: Baileys Socket/chats.js, `updateProfilePicture`. */
export async function answerGroupPicture({ network, device, iq, request }: Query): Promise<Answer> {
  const { type, target = "" } = iq.attrs;
  const group = network.groups.find(target);
  if (!group) return new Refusal(404);
  if (!group.members.has(device.account.number)) return new Refusal(401);
  if (type === "set") {
    const content = child(iq, "picture")?.content;
    return changePicture(
      network,
      group,
      device.account,
      content instanceof Uint8Array ? Buffer.from(content) : undefined,
    );
  }
  if (!group.picture) return new Refusal(404);
  const { id, directPath: direct_path } = group.picture;
  const url = `https://${PICTURE_HOST}${direct_path}`;
  return [node("picture", { id, type: request?.attrs["type"] ?? "preview", url, direct_path })];
}

/** Nothing takes the picture away. Baileys hears of it by a `picture` notification (Socket/messages-recv.js). */
async function changePicture(
  network: Network,
  group: Group,
  actor: Account,
  bytes: Buffer | undefined,
): Promise<Answer> {
  if (!mayEdit(group, actor)) return new Refusal(403);
  if (bytes && (bytes.length === 0 || bytes.length > MAX_PICTURE_BYTES)) return new Refusal(406);
  const owner = { by: { phone: actor.number, device: 0 } };
  const stored = bytes && (await network.media.add(bytes, owner, { isLasting: true }));
  const id = String(randomBytes(4).readUInt32BE());
  group.picture = bytes && stored && { id, directPath: stored.directPath, size: bytes.length };
  network.changed(group);
  network.changed(network.media);
  const author = group.jidOf(actor);
  const change = stored ? node("set", { id, author }) : node("delete", { author });
  const attributes = { from: group.id, type: "picture", id: network.nextId(), t: nowSeconds() };
  for (const number of group.members.keys()) {
    for (const device of network.account(number)?.devices.values() ?? []) {
      device.deliver(node("notification", attributes, [change]));
    }
  }
  return stored && [node("picture", { id })];
}
