import { KEY_BUNDLE_TYPE } from "@whiskeysockets/baileys";
import type { KeyBundle } from "../network/endpoint.ts";
import {
  attribute,
  bigEndian,
  child,
  childBytes,
  childNumber,
  children,
  node,
  nowSeconds,
  type BinaryNode,
} from "../wire/node.ts";
import type { Answer, Query } from "./answer-iq.ts";

/**
 * Signal keys: how many one-time keys are left, what the server holds, other devices' bundles, upload, rotation.
 * Shapes: Baileys Socket/socket.js (`uploadPreKeys`, `digestKeyBundle`, `rotateSignedPreKey`) and Utils/signal.js.
 */
export function answerEncrypt(query: Query): Answer {
  const { device, iq, request } = query;
  if (iq.attrs["type"] === "get" && request?.tag === "count") {
    return [node("count", { value: String(device.preKeys.size) })];
  }
  if (iq.attrs["type"] === "get" && request?.tag === "digest") return [describeKeys(query)];
  if (iq.attrs["type"] === "get" && request?.tag === "key") return [keyBundles(query)];
  if (iq.attrs["type"] === "set" && request) store(query, request);
  return undefined;
}

function describeKeys({ device }: Query): BinaryNode {
  const { registrationId, identityKey, signedPreKey } = device.identity;
  return node("digest", {}, [
    node("registration", {}, bigEndian(registrationId, 4)),
    node("type", {}, KEY_BUNDLE_TYPE),
    node("identity", {}, identityKey),
    signedPreKeyNode(signedPreKey),
  ]);
}

/** Baileys gives up on all bundles of a query if one user in it has an `<error>`. */
function keyBundles({ network, request }: Query): BinaryNode {
  const users = children(request, "user").map((user) => {
    const jid = attribute(user, "jid");
    const endpoint = network.endpoint(jid);
    if (!endpoint) return node("user", { jid }, [node("error", { code: "406", text: "not-acceptable" })]);
    const { registrationId, identityKey, signedPreKey, preKey, deviceIdentity } = endpoint.takeKeyBundle();
    const content = [
      node("registration", {}, bigEndian(registrationId, 4)),
      node("type", {}, KEY_BUNDLE_TYPE),
      node("identity", {}, identityKey),
      signedPreKeyNode(signedPreKey),
    ];
    if (preKey) content.push(node("key", {}, keyContent(preKey)));
    if (deviceIdentity) content.push(node("device-identity", {}, deviceIdentity));
    return node("user", { jid, t: nowSeconds() }, content);
  });
  return node("list", {}, users);
}

/** A new signed key, and in an upload one-time keys besides. */
function store({ device, iq }: Query, request: BinaryNode): void {
  const signedPreKey = readSignedPreKey(request.tag === "rotate" ? request : iq);
  device.identity = { ...device.identity, signedPreKey };
  const keys = children(child(iq, "list"), "key").map((key) => ({
    id: childNumber(key, "id", 3),
    publicKey: childBytes(key, "value", 32),
  }));
  device.addPreKeys(keys);
}

function readSignedPreKey(parent: BinaryNode): KeyBundle["signedPreKey"] {
  const skey = child(parent, "skey");
  return {
    id: childNumber(skey, "id", 3),
    publicKey: childBytes(skey, "value", 32),
    signature: childBytes(skey, "signature", 64),
  };
}

function signedPreKeyNode(key: KeyBundle["signedPreKey"]): BinaryNode {
  return node("skey", {}, [...keyContent(key), node("signature", {}, key.signature)]);
}

function keyContent({ id, publicKey }: { id: number; publicKey: Uint8Array }): BinaryNode[] {
  return [node("id", {}, bigEndian(id, 3)), node("value", {}, publicKey)];
}
