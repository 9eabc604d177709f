import { randomBytes } from "node:crypto";
import { node, nowSeconds, SERVER, type BinaryNode } from "../wire/node.ts";

/**
 * What clients are sent since mid-2026 when the account needs a passkey to link devices: WebAuthn options as JSON
 * (whatsmeow pair-passkey.go; Baileys issue 2672). Baileys 7.0.0-rc14 acknowledges it and then waits until its QR codes
 * run out.
 */
export function passkeyRequest(id: string): BinaryNode {
  const options = {
    challenge: randomBytes(32).toString("base64url"),
    rpId: "whatsapp.com",
    userVerification: "required",
  };
  return node("notification", { from: SERVER, type: "passkey_prologue_request", id, t: nowSeconds() }, [
    node("passkey_request_options", {}, Buffer.from(JSON.stringify(options))),
  ]);
}
