import { attribute, child, children, node } from "../wire/node.ts";
import type { Answer, Query } from "./answer-iq.ts";
import { Refusal } from "./refusal.ts";

/** What Baileys can set (Types/Chat.d.ts, `WAPrivacyValue` and its kin). */
const VALUES = new Set(["all", "contacts", "contact_blacklist", "none", "match_last_seen", "known"]);

/** Who may see what (Baileys Socket/chats.js, `fetchPrivacySettings`). Privacy tokens are accepted and not handed on. */
export function answerPrivacy({ network, device, iq, request }: Query): Answer {
  if (request?.tag !== "privacy") return undefined;
  const { account } = device;
  const { privacy } = account.profile;
  if (iq.attrs["type"] === "set") {
    const category = child(request, "category");
    if (!category) return new Refusal(400);
    const name = attribute(category, "name");
    const value = attribute(category, "value");
    if (!privacy.has(name) || !VALUES.has(value)) return new Refusal(400);
    privacy.set(name, value);
    network.changed(account);
  }
  const isAbout = iq.attrs["type"] === "set" ? new Set(children(request).map((each) => each.attrs["name"])) : undefined;
  const told = [...privacy].filter(([name]) => !isAbout || isAbout.has(name));
  return [
    node(
      "privacy",
      {},
      told.map(([name, value]) => node("category", { name, value })),
    ),
  ];
}
