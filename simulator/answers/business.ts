import { pnJid } from "../wire/jid.ts";
import { child, children, node } from "../wire/node.ts";
import type { Answer, Query } from "./answer-iq.ts";

const FIELDS = new Set(["address", "description", "website", "email", "categories", "business_hours"]);

/**
 * Business profiles (Baileys Socket/chats.js, `getBusinessProfile`; Socket/business.js, `updateBussinesProfile`, which
 * brings only what changes). People who have none are not in the answer.
 */
export function answerBusiness({ network, device, iq, request }: Query): Answer {
  if (request?.tag !== "business_profile") return undefined;
  if (iq.attrs["type"] === "set") {
    const { profile } = device.account;
    const changed = children(request).filter(({ tag }) => FIELDS.has(tag));
    const tags = new Set(changed.map(({ tag }) => tag));
    profile.business = [...(profile.business ?? []).filter(({ tag }) => !tags.has(tag)), ...changed];
    network.changed(device.account);
    return undefined;
  }
  const account = network.find(child(request, "profile")?.attrs["jid"]);
  const fields = account?.profile.business;
  const profiles = account && fields ? [node("profile", { jid: pnJid(account.number) }, fields)] : [];
  return [node("business_profile", { v: "244" }, profiles)];
}
