import { proto } from "@whiskeysockets/baileys";
import { announce } from "../network/announce.ts";
import { encryptMedia } from "../media/media-cipher.ts";
import { Malformed } from "../wire/malformed.ts";
import { attribute, child, childBytes, children, node, SERVER, type BinaryNode } from "../wire/node.ts";
import type { Answer, Query } from "./answer-iq.ts";

const CONFLICT = "409";

/**
 * App-state collections (Baileys Socket/chats.js, `resyncAppState` and `appPatch`). A device brings a patch on top of the
 * version that it knows, or asks what it lacks. A patch on an old version is refused with 409 and what was missing; one
 * that is accepted is announced to the account's other devices.
 */
export async function answerAppState(query: Query): Promise<Answer> {
  const answers: BinaryNode[] = [];
  for (const collection of children(query.request, "collection"))
    answers.push(await answerCollection(query, collection));
  return [node("sync", {}, answers)];
}

async function answerCollection(query: Query, collection: BinaryNode): Promise<BinaryNode> {
  const { account } = query.device;
  const name = attribute(collection, "name");
  const version = Number(collection.attrs["version"] ?? 0);
  if (!Number.isSafeInteger(version) || version < 0) throw new Malformed("<collection> with a strange version");
  if (!child(collection, "patch")) {
    const isSnapshotWanted = collection.attrs["return_snapshot"] === "true";
    return node("collection", ...(await missingParts(query, { name, version, isSnapshotWanted, type: "result" })));
  }
  if (!account.appState.submit(name, version, childBytes(collection, "patch"))) {
    const [attributes, content] = await missingParts(query, { name, version, isSnapshotWanted: false, type: "error" });
    return node("collection", attributes, [node("error", { code: CONFLICT, text: "conflict" }), ...content]);
  }
  query.network.changed(account);
  const accepted = { name, version: String(version + 1) };
  const content = [node("collection", accepted)];
  announce(query.network, account, { type: "server_sync", from: SERVER, content, cause: query.device });
  return node("collection", { ...accepted, type: "result" });
}

async function missingParts(
  { network, device }: Query,
  asked: { name: string; version: number; isSnapshotWanted: boolean; type: string },
): Promise<[Record<string, string>, BinaryNode[]]> {
  const { name, type } = asked;
  const missing = device.account.appState.catchUp(name, asked.version, asked.isSnapshotWanted);
  const { version, patches, hasMore, snapshot } = missing;
  const attributes = { name, type, version: String(version), ...(hasMore && { has_more_patches: "true" }) };
  const content: BinaryNode[] = [];
  if (snapshot) {
    const { mediaKey, fileSha256, fileEncSha256, fileLength, encrypted } = await encryptMedia(
      Buffer.from(snapshot),
      "md-app-state",
    );
    const by = { phone: device.account.number, device: 0 };
    const { directPath } = await network.media.add(encrypted, { by }, { isLasting: true });
    network.changed(network.media);
    const where = { mediaKey, directPath, fileSha256, fileEncSha256, fileSizeBytes: fileLength };
    content.push(node("snapshot", {}, proto.ExternalBlobReference.encode(where).finish()));
  }
  if (patches.length > 0) {
    content.push(
      node(
        "patches",
        {},
        patches.map((bytes) => node("patch", {}, bytes)),
      ),
    );
  }
  return [attributes, content];
}
