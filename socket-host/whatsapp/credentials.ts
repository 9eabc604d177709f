import "./quiet.ts";
import { initAuthCreds } from "@whiskeysockets/baileys";
import type { AuthenticationCreds } from "@whiskeysockets/baileys";

/** What proves to WhatsApp that this is the linked device. Lives in the device state, never anywhere else. */
export type Credentials = AuthenticationCreds;

/** Fresh key pairs of a device that is not linked yet. */
export const newCredentials = (): Credentials => initAuthCreds();

/** Whether WhatsApp has accepted these credentials: the phone's signature over our identity is there. */
export const isLinked = (creds: Credentials): boolean => creds.account !== undefined && creds.me !== undefined;
