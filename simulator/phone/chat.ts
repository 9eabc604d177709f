import type { Group } from "../groups/group.ts";
import type { Account } from "../network/account.ts";
import type { Network } from "../network/network.ts";
import { isGroupJid, lidJid, pnJid } from "../wire/jid.ts";

/** Where a phone writes to: a person, by number or by LID, or a group. */
export type Chat = { kind: "person"; with: Account; addressing: "lid" | "pn" } | { kind: "group"; group: Group };

/** The address of the chat on the wire. */
export function chatJid(chat: Chat): string {
  return chat.kind === "group" ? chat.group.id : personJid(chat, chat.with);
}

/** How somebody is addressed in a chat. */
export function personJid(chat: Chat, { number, lid }: Account, device = 0): string {
  const addressing = chat.kind === "group" ? chat.group.addressing : chat.addressing;
  return addressing === "lid" ? lidJid(lid, device) : pnJid(number, device);
}

/** What inboxes and histories call it: the other person's number, or the group's id. */
export function chatName(chat: Chat): string {
  return chat.kind === "group" ? chat.group.id : chat.with.number;
}

/** The chat of that name; `undefined` if it is not there any more. */
export function findChat(network: Network, name: string, addressing: "lid" | "pn" = "pn"): Chat | undefined {
  if (isGroupJid(name)) {
    const group = network.groups.find(name);
    return group && { kind: "group", group };
  }
  const account = network.account(name);
  return account && { kind: "person", with: account, addressing };
}
