import type { Account } from "../network/account.ts";
import { announce } from "../network/announce.ts";
import type { LinkedDevice } from "../network/linked-device.ts";
import type { Network } from "../network/network.ts";
import { answerGroupPicture } from "../groups/group-picture.ts";
import { isGroupJid, pnJid } from "../wire/jid.ts";
import { child, node } from "../wire/node.ts";
import { MAX_PICTURE_BYTES, PICTURE_HOST } from "../media/picture-host.ts";
import type { Answer, Query } from "./answer-iq.ts";
import { Refusal } from "./refusal.ts";

/**
 * Profile pictures (Baileys Socket/chats.js, `profilePictureUrl`, `updateProfilePicture`, `removeProfilePicture`): 404 for
 * people without one, 401 for those who show it to nobody (whatsmeow user.go, `GetProfilePictureInfo`). There is one size.
 */
export async function answerPicture({ network, device, iq, request }: Query): Promise<Answer> {
  const { type, target } = iq.attrs;
  if (isGroupJid(target)) return answerGroupPicture({ network, device, iq, request });
  if (type === "set") {
    if (target !== undefined && network.find(target) !== device.account) return new Refusal(403);
    const content = child(iq, "picture")?.content;
    if (content instanceof Uint8Array && content.length > MAX_PICTURE_BYTES) return new Refusal(406);
    const bytes = content instanceof Uint8Array && content.length > 0 ? Buffer.from(content) : undefined;
    const id = await changePicture(network, device.account, bytes, device);
    return id === undefined ? undefined : [node("picture", { id })];
  }
  const account = network.find(target);
  if (account && account !== device.account && !account.profile.shows("profile")) return new Refusal(401);
  const picture = account?.profile.picture;
  if (!picture) return new Refusal(404);
  const { id, directPath: direct_path } = picture;
  const url = `https://${PICTURE_HOST}${direct_path}`;
  return [node("picture", { id, type: request?.attrs["type"] ?? "preview", url, direct_path })];
}

/** A new picture, or none any more; answers its id. Those who know the account are told. */
export async function changePicture(
  network: Network,
  account: Account,
  bytes: Buffer | undefined,
  cause?: LinkedDevice,
): Promise<string | undefined> {
  const owner = { by: { phone: account.number, device: 0 } };
  const stored = bytes && (await network.media.add(bytes, owner, { isLasting: true }));
  const id = stored && String(Math.floor(Date.now() / 1000));
  account.profile.picture = stored && id !== undefined ? { id, directPath: stored.directPath } : undefined;
  network.changed(account);
  network.changed(network.media);
  const jid = pnJid(account.number);
  const content = [id === undefined ? node("delete", { jid }) : node("set", { jid, id, author: jid })];
  announce(network, account, { type: "picture", content, isPublic: true, cause });
  return id;
}
