import "./quiet.ts";
import { initAuthCreds } from "@whiskeysockets/baileys";
import type { AuthenticationCreds } from "@whiskeysockets/baileys";
import type { DeviceState } from "../device-state/state.ts";

/** What proves to WhatsApp that this is the linked device. Lives in the device state, never anywhere else. */
export type Credentials = AuthenticationCreds;

/** Fresh key pairs of a device that is not linked yet. */
export const newCredentials = (): Credentials => initAuthCreds();

/** Whether WhatsApp has accepted these credentials: the phone's signature over our identity is there. */
export const isLinked = (creds: Credentials): boolean => creds.account !== undefined && creds.me !== undefined;

/**
 * A pairing code that nobody typed leaves the number that it was for behind, and Baileys would log in as that account
 * instead of showing a QR (lib/Socket/socket.js, requestPairingCode and validateConnection).
 */
export function forgetHalfLink(state: DeviceState<Credentials>): void {
  if (!state.creds.me) return;
  delete state.creds.me;
  state.saveCreds({ pairingCode: undefined });
}

/**
 * What WhatsApp tells again at the next login, or what only spares work then. It is stored with the next append and
 * causes none: a login would otherwise cost one, and linking two more.
 */
const TOLD_AGAIN = new Set<string>([
  "me",
  "lastPropHash",
  "routingInfo",
  "accountSyncCounter",
  "processedHistoryMessages",
  "lastAccountSyncTimestamp",
] satisfies (keyof Credentials)[]);

/**
 * What Baileys tells in its event `creds.update`. Never throws. Of a linked device it tells all of the credentials at each login,
 * when the server has named an edge or the hash of its settings (lib/Socket/socket.js, edge_routing; chats.js, fetchProps).
 */
export function saveCredentials(state: DeviceState<Credentials>, update: Partial<Credentials>): void {
  const isToldAgain = update === state.creds || Object.keys(update).every((field) => TOLD_AGAIN.has(field));
  const mayBeLost = isLinked(state.creds) && isToldAgain;
  if (mayBeLost) state.saveCredsLazily(update);
  else state.saveCreds(update);
}
