import {
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  encodeWAMessage,
  generateRegistrationId,
  generateSignalPubKey,
  proto,
  signedKeyPair,
  unpadRandomMax16,
  type KeyPair,
  type SignalCreds,
} from "@whiskeysockets/baileys";
import type { Endpoint, KeyBundle } from "../network/endpoint.ts";
import { lidJid } from "../wire/jid.ts";
import { silentLogger } from "./silent-logger.ts";
import { SignalStore, type SignalStoreRecord } from "./signal-store.ts";

export type CipherRecord = { creds: SignalCreds; nextPreKey: number; store: SignalStoreRecord };
export type Sealed = { type: "pkmsg" | "msg"; ciphertext: Uint8Array };

/**
 * A phone as a real Signal endpoint: libsignal, through the repository that Baileys itself uses. Other devices are always
 * named by LID, when sending and when receiving, so each of them has one session record. Not safe for concurrent use.
 */
export class PhoneCipher {
  readonly #creds: SignalCreds;
  readonly #store: SignalStore;
  readonly #repository: ReturnType<typeof DEFAULT_CONNECTION_CONFIG.makeSignalRepository>;
  #nextPreKey: number;

  constructor(record?: CipherRecord) {
    this.#creds = record?.creds ?? createKeys();
    this.#nextPreKey = record?.nextPreKey ?? 1;
    this.#store = new SignalStore(record?.store);
    const auth = { creds: this.#creds, keys: this.#store };
    this.#repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, silentLogger);
  }

  get identity(): KeyPair {
    return this.#creds.signedIdentityKey;
  }

  get registrationId(): number {
    return this.#creds.registrationId;
  }

  takeKeyBundle(): KeyBundle {
    const id = this.#nextPreKey++;
    const pair = Curve.generateKeyPair();
    this.#store.set({ "pre-key": { [id]: pair } });
    const { keyId, keyPair, signature } = this.#creds.signedPreKey;
    return {
      registrationId: this.#creds.registrationId,
      identityKey: this.#creds.signedIdentityKey.public,
      signedPreKey: { id: keyId, publicKey: keyPair.public, signature },
      preKey: { id, publicKey: pair.public },
    };
  }

  /** Encrypts for one device, with a new session if there is none or `isFresh` asks for it. */
  async encrypt(target: Endpoint, message: proto.IMessage, { isFresh = false } = {}): Promise<Sealed> {
    const jid = addressOf(target);
    if (isFresh || !(await this.#repository.validateSession(jid)).exists) await this.#startSession(target);
    return this.#repository.encryptMessage({ jid, data: encodeWAMessage(message) });
  }

  /** Throws whatever libsignal throws if the ciphertext cannot be read. */
  async decrypt(sender: Endpoint, { type, ciphertext }: Sealed): Promise<proto.IMessage> {
    const jid = addressOf(sender);
    const decrypt = () => this.#repository.decryptMessage({ jid, type, ciphertext });
    const plaintext = type === "msg" ? await this.#withEachSession(jid, decrypt) : await decrypt();
    return proto.Message.decode(unpadRandomMax16(plaintext));
  }

  /**
   * Encrypts for all members of a group at once. `senderKey` is what a device needs to read it, for those that have not got
   * it yet.
   */
  async encryptForGroup(
    self: Endpoint,
    group: string,
    message: proto.IMessage,
  ): Promise<{ ciphertext: Uint8Array; senderKey: Uint8Array }> {
    const meId = addressOf(self);
    const encrypted = await this.#repository.encryptGroupMessage({ group, meId, data: encodeWAMessage(message) });
    return { ciphertext: encrypted.ciphertext, senderKey: encrypted.senderKeyDistributionMessage };
  }

  /** The own sender key of a group as it is now. */
  async senderKey(self: Endpoint, group: string): Promise<Uint8Array> {
    return this.#repository.getSenderKeyDistributionMessage({ group, meId: addressOf(self) });
  }

  /** The next message to this group is encrypted with a new key. */
  dropSenderKey(self: Endpoint, group: string): void {
    const address = this.#repository.jidToSignalProtocolAddress(addressOf(self));
    const separator = address.lastIndexOf(".");
    const id = `${group}::${address.slice(0, separator)}::${address.slice(separator + 1)}`; // as Signal/Group/sender-key-name.js
    this.#store.set({ "sender-key": { [id]: null } });
  }

  /** Takes the sender key of somebody else. Throws if it is none. */
  async takeSenderKey(sender: Endpoint, item: proto.Message.ISenderKeyDistributionMessage): Promise<void> {
    await this.#repository.processSenderKeyDistributionMessage({ authorJid: addressOf(sender), item });
  }

  /** Throws whatever Baileys throws if the ciphertext cannot be read. */
  async decryptFromGroup(sender: Endpoint, group: string, ciphertext: Uint8Array): Promise<proto.IMessage> {
    const plaintext = await this.#repository.decryptGroupMessage({
      group,
      authorJid: addressOf(sender),
      msg: ciphertext,
    });
    return proto.Message.decode(unpadRandomMax16(plaintext));
  }

  /** Whether there is any session with this device. */
  knows(device: Endpoint): boolean {
    return this.#store.sessions(this.#repository.jidToSignalProtocolAddress(addressOf(device))).length > 0;
  }

  async forget(device: Endpoint): Promise<void> {
    const id = this.#repository.jidToSignalProtocolAddress(addressOf(device));
    this.#store.set({ session: { [id]: null }, "identity-key": { [id]: null } });
  }

  async #withEachSession<T>(jid: string, decrypt: () => Promise<T>): Promise<T> {
    const id = this.#repository.jidToSignalProtocolAddress(jid);
    let failure: unknown = new Error("no session");
    for (const base of this.#store.sessions(id)) {
      try {
        return await this.#store.showing(id, base, decrypt);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  async #startSession(target: Endpoint): Promise<void> {
    const { registrationId, identityKey, signedPreKey, preKey } = target.takeKeyBundle();
    await this.#repository.injectE2ESession({
      jid: addressOf(target),
      session: {
        registrationId,
        identityKey: generateSignalPubKey(identityKey),
        signedPreKey: {
          keyId: signedPreKey.id,
          publicKey: generateSignalPubKey(signedPreKey.publicKey),
          signature: signedPreKey.signature,
        },
        ...(preKey && { preKey: { keyId: preKey.id, publicKey: generateSignalPubKey(preKey.publicKey) } }),
      },
    });
  }

  toRecord(): CipherRecord {
    return { creds: this.#creds, nextPreKey: this.#nextPreKey, store: this.#store.toRecord() };
  }

  dispose(): void {
    this.#repository.close?.();
  }
}

function addressOf({ account, device }: Endpoint): string {
  return lidJid(account.lid, device);
}

function createKeys(): SignalCreds {
  const identity = Curve.generateKeyPair();
  return {
    signedIdentityKey: identity,
    signedPreKey: signedKeyPair(identity, 1),
    registrationId: generateRegistrationId(),
  };
}
