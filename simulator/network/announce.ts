import { pnJid } from "../wire/jid.ts";
import { node, nowSeconds, type BinaryNode } from "../wire/node.ts";
import type { Account } from "./account.ts";
import type { LinkedDevice } from "./linked-device.ts";
import type { Network } from "./network.ts";

/**
 * Brings a notification about an account to its own linked devices (but not to the one that caused it) and, if it is
 * `public`, to those of everybody who ever asked for the account's device list.
 */
export function announce(
  network: Network,
  account: Account,
  news: { type: string; content: BinaryNode[]; isPublic?: boolean; from?: string; cause?: LinkedDevice | undefined },
): void {
  const { type, content, isPublic = false, from = pnJid(account.number), cause } = news;
  const readers = new Set([account.number, ...(isPublic ? account.watchers : [])]);
  for (const reader of readers) {
    for (const device of network.account(reader)?.devices.values() ?? []) {
      if (device === cause) continue;
      device.deliver(node("notification", { from, type, id: network.nextId(), t: nowSeconds() }, content));
    }
  }
}
