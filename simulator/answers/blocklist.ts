import { announce } from "../network/announce.ts";
import { lidJid, pnJid } from "../wire/jid.ts";
import { attribute, node, type BinaryNode } from "../wire/node.ts";
import type { Answer, Query } from "./answer-iq.ts";
import { Refusal } from "./refusal.ts";

/**
 * Whose messages do not arrive, by LID (Baileys Socket/chats.js, `fetchBlocklist` and `updateBlockStatus`). The account's
 * other devices hear of a change as `account_sync`.
 */
export function answerBlocklist({ network, device, iq, request }: Query): Answer {
  const { account } = device;
  const { blocked } = account.profile;
  if (iq.attrs["type"] === "set" && request) {
    const person = network.find(attribute(request, "jid"));
    const { action } = request.attrs;
    if (!person || (action !== "block" && action !== "unblock")) return new Refusal(400);
    if (action === "block") blocked.add(person.number);
    else blocked.delete(person.number);
    network.changed(account);
    const item = node("item", { action, jid: lidJid(person.lid) });
    announce(network, account, { type: "account_sync", content: [node("blocklist", {}, [item])], cause: device });
  }
  const items = [...blocked].flatMap((number): BinaryNode[] => {
    const person = network.account(number);
    return person ? [node("item", { jid: lidJid(person.lid), pn_jid: pnJid(number) })] : [];
  });
  return [node("list", { dhash: String(items.length) }, items)];
}
