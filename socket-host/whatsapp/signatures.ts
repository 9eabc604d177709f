import "./quiet.ts";
import { createPublicKey, verify } from "node:crypto";
import { Curve } from "@whiskeysockets/baileys";
import { SenderKeyMessage } from "@whiskeysockets/baileys/lib/Signal/Group/sender-key-message.js";

/** The prime of Curve25519 (RFC 7748, 4.1). */
const P = 2n ** 255n - 19n;
/** An Ed25519 key in SubjectPublicKeyInfo, up to its 32 bytes (RFC 8410, 4). */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/**
 * Whether a message was signed with the private part of this Curve25519 key: XEdDSA (signal.org/docs/specifications/xeddsa,
 * xeddsa_verify), as WhatsApp signs certificates, linked devices and messages to groups. The sign of the Edwards point, which
 * a Curve25519 key has not, is in the top bit of the signature. False also for what is no signature at all.
 * @param publicKey of 32 bytes, also with Signal's byte for its type before them (libsignal/src/curve.js)
 */
export function verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const isKey = publicKey.length === KEY_BYTES || publicKey.length === KEY_BYTES + 1;
  if (!isKey || signature.length !== SIGNATURE_BYTES) return false;
  const y = edwardsY(publicKey.subarray(-KEY_BYTES));
  const last = signature[SIGNATURE_BYTES - 1] ?? 0;
  y.writeUInt8(y.readUInt8(KEY_BYTES - 1) | (last & 0x80), KEY_BYTES - 1);
  const plain = Buffer.from(signature);
  plain.writeUInt8(last & 0x7f, SIGNATURE_BYTES - 1);
  try {
    const key = createPublicKey({ key: Buffer.concat([SPKI, y]), format: "der", type: "spki" });
    return verify(null, message, key, plain);
  } catch {
    // The bytes are no point of the curve.
    return false;
  }
}

/** The same point on the Edwards curve, its sign left out: y = (u - 1) / (u + 1). */
function edwardsY(publicKey: Uint8Array): Buffer {
  const u = BigInt(`0x${Buffer.from(publicKey).reverse().toString("hex")}`) % 2n ** 255n;
  const y = ((u - 1n + P) * inverse(u + 1n)) % P;
  return Buffer.from(y.toString(16).padStart(64, "0"), "hex").reverse();
}

/** Modulo P, by Euclid; 0 of 0. */
function inverse(value: bigint): bigint {
  let [a, b] = [value % P, P];
  let [x, next] = [1n, 0n];
  while (b) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, next] = [next, x - quotient * next];
  }
  return ((x % P) + P) % P;
}

/**
 * Baileys verifies in JavaScript, for 10 ms each, and then takes every certificate of WhatsApp's server and every signature of
 * a linking phone for good: `Curve.verify` drops the answer (lib/Utils/crypto.js). Both objects are shared by all of Baileys, so
 * from here on they tell the truth, in a fraction of a millisecond. `socket.ts` imports this file for that.
 */
Curve.verify = verifySignature;
SenderKeyMessage.prototype.verifySignature = function (publicKey) {
  const bytes = this.serialize();
  const isGood = verifySignature(publicKey, bytes.subarray(0, -SIGNATURE_BYTES), bytes.subarray(-SIGNATURE_BYTES));
  if (!isGood) throw new Error("Invalid signature!");
};
