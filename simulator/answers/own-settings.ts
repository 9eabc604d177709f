import type { Account } from "../network/account.ts";
import { announce } from "../network/announce.ts";
import type { Network } from "../network/network.ts";
import { node } from "../wire/node.ts";
import type { Answer, Query } from "./answer-iq.ts";
import { Refusal } from "./refusal.ts";

/** As long as WhatsApp lets it be. */
const MAX_ABOUT_LENGTH = 139;

/** The text under a person's name (Baileys Socket/chats.js, `updateProfileStatus`). */
export function answerAbout({ network, device, iq, request }: Query): Answer {
  if (iq.attrs["type"] !== "set" || request?.tag !== "status") return undefined;
  const { content } = request;
  const text = content === undefined || Array.isArray(content) ? "" : Buffer.from(content).toString();
  if (text.length > MAX_ABOUT_LENGTH) return new Refusal(406);
  changeAbout(network, device.account, text);
  return undefined;
}

export function changeAbout(network: Network, account: Account, text: string): void {
  account.profile.about = { text, setAt: Math.floor(Date.now() / 1000) };
  network.changed(account);
  const content = [node("set", {}, Buffer.from(text))];
  announce(network, account, { type: "status", content, isPublic: true });
}

/** How long messages in new chats live (Baileys Socket/chats.js, `updateDefaultDisappearingMode`). */
export function answerDisappearingMode({ network, device, iq, request }: Query): Answer {
  if (iq.attrs["type"] !== "set" || request?.tag !== "disappearing_mode") return undefined;
  const durationSeconds = Number(request.attrs["duration"]);
  if (!Number.isSafeInteger(durationSeconds) || durationSeconds < 0) return new Refusal(400);
  const setAt = Math.floor(Date.now() / 1000);
  device.account.profile.disappearing = { durationSeconds, setAt };
  network.changed(device.account);
  const content = [node("disappearing_mode", { duration: String(durationSeconds), t: String(setAt) })];
  announce(network, device.account, { type: "account_sync", content, cause: device });
  return undefined;
}
