import { Curve, generateSignalPubKey } from "@whiskeysockets/baileys";
import { SenderKeyMessage } from "@whiskeysockets/baileys/lib/Signal/Group/sender-key-message.js";
import { expect, test } from "vitest";
import { verifySignature } from "./signatures.ts";

const MESSAGES = 40;
const signedBy = ({ private: key }: { private: Uint8Array }, message: Buffer) => Buffer.from(Curve.sign(key, message));

test("what libsignal signs is verified, and nothing that differs in a bit, or from another key", () => {
  const other = Curve.generateKeyPair();
  for (let n = 0; n < MESSAGES; n++) {
    const pair = Curve.generateKeyPair();
    const message = Buffer.from(`message ${n}`);
    const signature = signedBy(pair, message);
    const flipped = Buffer.from(signature);
    flipped[n] = (flipped[n] ?? 0) ^ (1 << (n % 8));
    expect(verifySignature(pair.public, message, signature)).toBe(true);
    expect(verifySignature(generateSignalPubKey(pair.public), message, signature)).toBe(true);
    expect(verifySignature(pair.public, message, flipped)).toBe(false);
    expect(verifySignature(pair.public, Buffer.from("another message"), signature)).toBe(false);
    expect(verifySignature(other.public, message, signature)).toBe(false);
  }
});

test("what is no key or no signature is refused", () => {
  const pair = Curve.generateKeyPair();
  const message = Buffer.from("message");
  for (const key of [Buffer.alloc(32), Buffer.alloc(32, 255), Buffer.alloc(34), Buffer.of()])
    expect(verifySignature(key, message, signedBy(pair, message))).toBe(false);
  for (const bytes of [Buffer.alloc(64), Buffer.alloc(64, 255), Buffer.alloc(63), Buffer.of()])
    expect(verifySignature(pair.public, message, bytes)).toBe(false);
});

test("Baileys refuses a signature that is not good, of a certificate and of a message to a group", () => {
  const [author, other] = [Curve.generateKeyPair(), Curve.generateKeyPair()];
  const message = Buffer.from("message");
  expect(Curve.verify(author.public, message, signedBy(author, message))).toBe(true);
  expect(Curve.verify(author.public, message, signedBy(other, message))).toBe(false);
  const toGroup = new SenderKeyMessage(1, 0, message, Buffer.from(author.private));
  toGroup.verifySignature(Buffer.from(author.public));
  expect(() => toGroup.verifySignature(Buffer.from(other.public))).toThrow("Invalid signature");
});
