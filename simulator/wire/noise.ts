import { createCipheriv, createDecipheriv } from "node:crypto";
import {
  aesDecryptGCM,
  aesEncryptGCM,
  Curve,
  hkdf,
  NOISE_MODE,
  NOISE_WA_HEADER,
  proto,
  sha256,
} from "@whiskeysockets/baileys";
import type { Certificates } from "./certificates.ts";
import { Malformed } from "./malformed.ts";

/** What the bytes of a client turned out to mean. */
export type NoiseEvent =
  | { kind: "reply"; frame: Buffer }
  | { kind: "hello"; payload: proto.ClientPayload; clientKey: Buffer }
  | { kind: "stanza"; plaintext: Buffer };

type Phase = "intro" | "clientHello" | "clientFinish" | "transport";

const NOTHING = Buffer.alloc(0);
const FRAME_HEADER_BYTES = 3;
/** Frames have nothing to authenticate besides, so this is all of Baileys' `aesEncryptGCM`, without the copies. */
const TRANSPORT_CIPHER = "aes-256-gcm";
const TAG_BYTES = 16;
const MAX_HANDSHAKE_BYTES = 64 * 1024;
const ROUTING_PREFIX = 0x45;

/**
 * The server's half of WhatsApp's `Noise_XX_25519_AESGCM_SHA256`, for one connection: bytes in, events out, no I/O.
 * The mirror image of Baileys' Utils/noise-handler.js. Throws `Malformed` (or a decoding error) on bytes that no honest
 * client sends; the connection is then worthless.
 */
export class NoiseServer {
  readonly #certificates: Certificates;
  readonly #ephemeral = Curve.generateKeyPair();
  #phase: Phase = "intro";
  #buffered: Buffer = NOTHING;
  #hash: Buffer = Buffer.from(NOISE_MODE); // exactly 32 bytes, therefore used unhashed
  #salt: Buffer = this.#hash;
  #key: Buffer = this.#hash;
  #handshakeCounter = 0;
  #clientEphemeral: Buffer = NOTHING;
  #receiveKey: Buffer = NOTHING;
  #sendKey: Buffer = NOTHING;
  #received = 0;
  #sent = 0;

  constructor(certificates: Certificates) {
    this.#certificates = certificates;
    this.#authenticate(NOISE_WA_HEADER);
  }

  /** Takes bytes as they come from the WebSocket: frames may be split or joined. */
  feed(data: Buffer): NoiseEvent[] {
    this.#buffered = this.#buffered.length > 0 ? Buffer.concat([this.#buffered, data]) : data;
    if (this.#phase === "intro" && !this.#skipIntro()) return [];
    const events: NoiseEvent[] = [];
    for (let frame = this.#nextFrame(); frame; frame = this.#nextFrame()) events.push(this.#read(frame));
    return events;
  }

  /** Encrypts one encoded stanza into the frame to send. Only after the handshake. */
  seal(plaintext: Uint8Array): Buffer {
    const cipher = createCipheriv(TRANSPORT_CIPHER, this.#sendKey, counterIv(this.#sent++));
    const { length } = plaintext;
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + length + TAG_BYTES);
    frame.writeUIntBE(length + TAG_BYTES, 0, FRAME_HEADER_BYTES);
    frame.set(cipher.update(plaintext), FRAME_HEADER_BYTES);
    cipher.final();
    frame.set(cipher.getAuthTag(), FRAME_HEADER_BYTES + length);
    return frame;
  }

  /** `[45 44 00 01, length(3), routing info] 57 41 06 03`; the bracketed part only if the client has routing info. */
  #skipIntro(): boolean {
    const buffered = this.#buffered;
    const isRouted = buffered[0] === ROUTING_PREFIX;
    if (isRouted && buffered.length < 7) return false;
    const headerAt = isRouted ? 7 + buffered.readUIntBE(4, 3) : 0;
    const end = headerAt + NOISE_WA_HEADER.length;
    if (end > MAX_HANDSHAKE_BYTES) throw new Malformed("routing info too long");
    if (buffered.length < end) return false;
    if (!buffered.subarray(headerAt, end).equals(NOISE_WA_HEADER)) throw new Malformed("not a WhatsApp intro");
    this.#buffered = buffered.subarray(end);
    this.#phase = "clientHello";
    return true;
  }

  #nextFrame(): Buffer | undefined {
    if (this.#buffered.length < FRAME_HEADER_BYTES) return undefined;
    const end = FRAME_HEADER_BYTES + this.#buffered.readUIntBE(0, FRAME_HEADER_BYTES);
    if (this.#phase !== "transport" && end > MAX_HANDSHAKE_BYTES) throw new Malformed("handshake frame too long");
    if (this.#buffered.length < end) return undefined;
    const frame = this.#buffered.subarray(FRAME_HEADER_BYTES, end);
    this.#buffered = this.#buffered.subarray(end);
    return frame;
  }

  #read(frame: Buffer): NoiseEvent {
    if (this.#phase === "clientHello") return this.#answerHello(frame);
    if (this.#phase === "clientFinish") return this.#finish(frame);
    return { kind: "stanza", plaintext: this.#open(frame) };
  }

  /** Throws if the frame was tampered with. */
  #open(frame: Buffer): Buffer {
    const tagAt = frame.length - TAG_BYTES;
    if (tagAt < 0) throw new Malformed("a frame without a tag");
    const decipher = createDecipheriv(TRANSPORT_CIPHER, this.#receiveKey, counterIv(this.#received++));
    decipher.setAuthTag(frame.subarray(tagAt));
    const plaintext = decipher.update(frame.subarray(0, tagAt));
    decipher.final();
    return plaintext;
  }

  #answerHello(frame: Buffer): NoiseEvent {
    const { clientHello } = proto.HandshakeMessage.decode(frame);
    this.#clientEphemeral = publicKey(clientHello?.ephemeral);
    this.#authenticate(this.#clientEphemeral);
    this.#authenticate(this.#ephemeral.public);
    this.#mix(Curve.sharedKey(this.#ephemeral.private, this.#clientEphemeral));
    const staticKey = this.#encrypt(this.#certificates.serverKey.public);
    this.#mix(Curve.sharedKey(this.#certificates.serverKey.private, this.#clientEphemeral));
    const payload = this.#encrypt(this.#certificates.chain);
    this.#phase = "clientFinish";
    const serverHello = { ephemeral: this.#ephemeral.public, static: staticKey, payload };
    return { kind: "reply", frame: toFrame(proto.HandshakeMessage.encode({ serverHello }).finish()) };
  }

  #finish(frame: Buffer): NoiseEvent {
    const { clientFinish } = proto.HandshakeMessage.decode(frame);
    const clientKey = publicKey(this.#decrypt(Buffer.from(clientFinish?.static ?? NOTHING)));
    this.#mix(Curve.sharedKey(this.#ephemeral.private, clientKey));
    const payload = proto.ClientPayload.decode(this.#decrypt(Buffer.from(clientFinish?.payload ?? NOTHING)));
    const keys = Buffer.from(hkdf(NOTHING, 64, { salt: this.#salt, info: "" }));
    this.#receiveKey = keys.subarray(0, 32);
    this.#sendKey = keys.subarray(32);
    this.#phase = "transport";
    return { kind: "hello", payload, clientKey };
  }

  #authenticate(data: Uint8Array): void {
    this.#hash = sha256(Buffer.concat([this.#hash, data]));
  }

  #mix(sharedKey: Uint8Array): void {
    const keys = Buffer.from(hkdf(sharedKey, 64, { salt: this.#salt, info: "" }));
    this.#salt = keys.subarray(0, 32);
    this.#key = keys.subarray(32);
    this.#handshakeCounter = 0;
  }

  #encrypt(plaintext: Uint8Array): Buffer {
    const ciphertext = aesEncryptGCM(plaintext, this.#key, counterIv(this.#handshakeCounter++), this.#hash);
    this.#authenticate(ciphertext);
    return ciphertext;
  }

  #decrypt(ciphertext: Buffer): Buffer {
    const plaintext = aesDecryptGCM(ciphertext, this.#key, counterIv(this.#handshakeCounter++), this.#hash);
    this.#authenticate(ciphertext);
    return plaintext;
  }
}

function counterIv(counter: number): Buffer {
  const iv = Buffer.alloc(12);
  iv.writeUInt32BE(counter, 8);
  return iv;
}

function publicKey(bytes: Uint8Array | null | undefined): Buffer {
  if (bytes?.length !== 32) throw new Malformed("a public key must be 32 bytes");
  return Buffer.from(bytes);
}

function toFrame(body: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.length);
  frame.writeUIntBE(body.length, 0, FRAME_HEADER_BYTES);
  frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}
