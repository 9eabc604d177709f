import type { Account } from "../network/account.ts";
import { lidJid, pnJid } from "../wire/jid.ts";
import { child, children, node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import type { Answer, Query } from "./answer-iq.ts";

/**
 * Who is on WhatsApp, with which devices and which LID (Baileys WAUSync/). Numbers exist if a phone was created for them.
 * Each user is answered with one child per protocol in `<query>`, under the address that was asked for; a user asked for
 * by phone number alone gets the address by number. Whoever asks for devices is told when they change.
 */
export function answerUsync({ network, device, request }: Query): Answer {
  const protocols = children(child(request, "query")).map((protocol) => protocol.tag);
  const users = children(child(request, "list"), "user").map((user) => {
    const jid = user.attrs["jid"] ?? jidOfContact(user);
    const account = network.find(jid);
    if (account && protocols.includes("devices")) {
      account.watchers.add(device.account.number);
      network.changed(account);
    }
    return node(
      "user",
      { jid },
      protocols.flatMap((protocol) => PROTOCOLS.get(protocol)?.(account) ?? []),
    );
  });
  const { sid, context, mode } = request?.attrs ?? {};
  const attributes = { sid, context, mode, last: "true", index: "0" };
  return [node("usync", attributes, [node("result", {}, []), node("list", {}, users)])];
}

const PROTOCOLS = new Map<string, (account: Account | undefined) => BinaryNode[]>([
  ["contact", (account) => [node("contact", { type: account ? "in" : "out" })]],
  ["devices", (account) => [deviceList(account)]],
  ["lid", (account) => (account ? [node("lid", { val: lidJid(account.lid) })] : [])],
  ["status", (account) => (account ? [aboutNode(account)] : [])],
  ["disappearing_mode", (account) => (account ? [disappearingNode(account)] : [])],
]);

/** 401 for those who show it to nobody (Baileys WAUSync/Protocols/USyncStatusProtocol.js). */
function aboutNode({ profile }: Account): BinaryNode {
  const { text, setAt } = profile.about;
  if (!profile.shows("status")) return node("status", { code: "401" });
  return node("status", { t: String(setAt) }, Buffer.from(text));
}

function disappearingNode({ profile }: Account): BinaryNode {
  const { durationSeconds, setAt } = profile.disappearing;
  return node("disappearing_mode", { duration: String(durationSeconds), t: String(setAt) });
}

function deviceList(account: Account | undefined): BinaryNode {
  const devices = (account?.endpoints() ?? []).map(({ device }) => deviceNode(device));
  return node("devices", { version: "2" }, [
    node("device-list", {}, devices),
    node("key-index-list", { ts: nowSeconds() }),
  ]);
}

/** Baileys leaves out linked devices without a key index (Utils/signal.js, `extractDeviceJids`). */
function deviceNode(device: number): BinaryNode {
  return node("device", device === 0 ? { id: "0" } : { id: String(device), "key-index": String(device) });
}

function jidOfContact(user: BinaryNode): string {
  const { content } = child(user, "contact") ?? {};
  const text = content === undefined || Array.isArray(content) ? "" : Buffer.from(content).toString();
  return pnJid(text.replaceAll(/\D/g, ""));
}
