import { createHmac, randomBytes } from "node:crypto";

/** Begins every secret, as Standard Webhooks wants it; the rest is base64. */
const PREFIX = "whsec_";
const BYTES = 32;

export const newWebhookSecret = () => `${PREFIX}${randomBytes(BYTES).toString("base64")}`;

/** The secret of a creation that a client may repeat: the same each time, and nobody's to guess without the key. */
export const repeatableWebhookSecret = (key: Buffer, creationKey: string, fingerprint: Buffer) =>
  `${PREFIX}${createHmac("sha256", key).update(`webhook\n${creationKey}\n`).update(fingerprint).digest("base64")}`;

/**
 * The headers of Standard Webhooks (spec/standard-webhooks.md, "Webhook metadata" and "Signature scheme"), signed with each
 * of the secrets: whoever knows one of them can verify.
 * @param id the same in every try
 */
export function signWebhook(id: string, body: string, secrets: readonly string[], now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(PREFIX.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
