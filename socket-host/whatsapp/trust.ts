import "./quiet.ts";
import { WA_CERT_DETAILS } from "@whiskeysockets/baileys";

/**
 * Makes Baileys trust a simulator's certificates instead of WhatsApp's. Baileys verifies the certificate chain of the
 * Noise handshake against this exported object at every connection (lib/Utils/noise-handler.js), so it holds for the
 * whole process; `loadHostConfig` refuses it together with a WhatsApp address.
 */
export function trustRoot(rootPublicKey: Buffer): void {
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootPublicKey);
}
