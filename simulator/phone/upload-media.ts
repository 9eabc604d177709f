import { encryptMedia } from "../media/media-cipher.ts";
import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { nowSeconds } from "../wire/node.ts";
import type { Chat } from "./chat.ts";
import type { MediaFields, MediaKind } from "./media-part.ts";

export type File = { mimetype: string; bytes: Buffer; fileName?: string | undefined };

/** Encrypts a file and puts it on the media host; answers what its message says about it. */
export async function uploadMedia(
  network: Network,
  account: Account,
  chat: Chat,
  { mimetype, bytes, fileName }: File,
): Promise<{ media: MediaFields; as: MediaKind }> {
  const as = kindOf(mimetype);
  const { encrypted, ...about } = await encryptMedia(bytes, as);
  const audience = chat.kind === "group" ? [...chat.group.members.keys()] : [chat.with.number];
  const by = { phone: account.number, device: 0 };
  const address = await network.media.add(encrypted, { by, audience: [account.number, ...audience] });
  network.changed(network.media);
  const name = as === "document" ? { fileName: fileName ?? "file", title: fileName ?? "file" } : {};
  const voice = as === "audio" ? { ptt: mimetype.startsWith("audio/ogg") } : {};
  const media = { ...about, ...address, ...name, ...voice, mimetype, mediaKeyTimestamp: Number(nowSeconds()) };
  return { media, as };
}

/** As phones choose: WebP pictures are stickers, and what is no picture, video or sound is a document. */
function kindOf(mimetype: string): MediaKind {
  if (mimetype.startsWith("image/webp")) return "sticker";
  const kind = mimetype.split("/")[0];
  return kind === "image" || kind === "video" || kind === "audio" ? kind : "document";
}
