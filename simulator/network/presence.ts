import { lidJid, pnJid } from "../wire/jid.ts";
import { node, type BinaryNode } from "../wire/node.ts";
import type { Account } from "./account.ts";
import type { LinkedDevice } from "./linked-device.ts";

/** Whether somebody is there, and who wants to know. A person is there if the phone is, or a device that says so. */
export class Presence {
  readonly #account: Account;
  /** By which of the two addresses each of them asked. Ends with the connection that asked. */
  readonly #subscribers = new Map<LinkedDevice, { connection: unknown; isByLid: boolean }>();
  #wasAvailable: boolean | undefined;
  #lastSeenAt = Math.floor(Date.now() / 1000);

  constructor(account: Account) {
    this.#account = account;
  }

  get isAvailable(): boolean {
    const { settings } = this.#account.phone;
    if (settings.online && settings.presence === "available") return true;
    return [...this.#account.devices.values()].some((device) => device.isConnected && device.isAvailable);
  }

  /** Answers at once, and with every change while the connection lasts. */
  subscribe(device: LinkedDevice, isByLid: boolean): void {
    this.#wasAvailable ??= this.isAvailable;
    this.#subscribers.set(device, { connection: device.connection, isByLid });
    device.send(this.#describe(isByLid));
  }

  /** To be called whenever what `isAvailable` looks at has changed. */
  refresh(): void {
    const { isAvailable } = this;
    if (isAvailable === this.#wasAvailable) return;
    this.#wasAvailable = isAvailable;
    if (!isAvailable) this.#lastSeenAt = Math.floor(Date.now() / 1000);
    for (const [device, { connection, isByLid }] of this.#subscribers) {
      if (device.connection === undefined || device.connection !== connection) this.#subscribers.delete(device);
      else device.send(this.#describe(isByLid));
    }
  }

  /** `last` is in seconds, or `deny` for those who show it to nobody (Baileys Socket/chats.js, `handlePresenceUpdate`). */
  #describe(isByLid: boolean): BinaryNode {
    const { number, lid, profile } = this.#account;
    const from = isByLid ? lidJid(lid) : pnJid(number);
    const isSeen = profile.shows("last");
    const isHidden = !isSeen && profile.privacy.get("online") === "match_last_seen";
    if (this.isAvailable && !isHidden) return node("presence", { from, type: "available" });
    return node("presence", { from, type: "unavailable", last: isSeen ? String(this.#lastSeenAt) : "deny" });
  }
}
