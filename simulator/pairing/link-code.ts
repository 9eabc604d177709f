import { randomBytes } from "node:crypto";
import {
  aesDecryptCTR,
  aesDecryptGCM,
  aesEncryptCTR,
  Curve,
  derivePairingCodeKey,
  hkdf,
  type KeyPair,
} from "@whiskeysockets/baileys";

/** 32 bytes salt, 16 bytes IV, 32 bytes encrypted public key. */
export const WRAPPED_KEY_BYTES = 80;

/** What the phone remembers between the two steps of pairing by code. */
export type CodeExchange = { sharedKey: Buffer; wrappedPhoneKey: Buffer };

/**
 * The user types the code: opens the companion's ephemeral key with it and wraps the phone's own the same way. A wrong
 * code goes unnoticed here; it yields a different shared key, so the next step fails. The companion's side of all this:
 * Socket/socket.js `requestPairingCode`, Socket/messages-recv.js `link_code_companion_reg`.
 */
export async function answerWithCode(code: string, wrappedCompanionKey: Buffer): Promise<CodeExchange> {
  const key = await derivePairingCodeKey(code, wrappedCompanionKey.subarray(0, 32));
  const companionKey = aesDecryptCTR(wrappedCompanionKey.subarray(48), key, wrappedCompanionKey.subarray(32, 48));
  const ephemeral = Curve.generateKeyPair();
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const wrapped = aesEncryptCTR(ephemeral.public, await derivePairingCodeKey(code, salt), iv);
  return {
    sharedKey: Curve.sharedKey(ephemeral.private, companionKey),
    wrappedPhoneKey: Buffer.concat([salt, iv, wrapped]),
  };
}

/**
 * Opens the companion's key bundle (32 bytes salt, 12 bytes IV, AES-GCM) and derives the ADV secret, base64.
 * `undefined` if the code was wrong, or the bundle is for another phone.
 */
export function secretFromBundle(
  exchange: CodeExchange,
  bundle: Buffer,
  keys: { phoneIdentity: KeyPair; companionIdentityKey: Buffer },
): string | undefined {
  const key = hkdf(exchange.sharedKey, 32, {
    salt: bundle.subarray(0, 32),
    info: "link_code_pairing_key_bundle_encryption_key",
  });
  let plaintext: Buffer;
  try {
    plaintext = aesDecryptGCM(bundle.subarray(44), key, bundle.subarray(32, 44), Buffer.alloc(0));
  } catch {
    return undefined;
  }
  const { phoneIdentity, companionIdentityKey } = keys;
  const isForUs =
    plaintext.subarray(0, 32).equals(companionIdentityKey) && plaintext.subarray(32, 64).equals(phoneIdentity.public);
  if (!isForUs) return undefined;
  const identityKey = Curve.sharedKey(phoneIdentity.private, companionIdentityKey);
  const secret = hkdf(Buffer.concat([exchange.sharedKey, identityKey, plaintext.subarray(64, 96)]), 32, {
    info: "adv_secret",
  });
  return Buffer.from(secret).toString("base64");
}
