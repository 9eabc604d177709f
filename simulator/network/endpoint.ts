import type { BinaryNode } from "../wire/node.ts";
import type { Account } from "./account.ts";

/** The public keys with which a stranger starts a Signal session; all keys are 32 raw bytes. */
export type KeyBundle = {
  registrationId: number;
  identityKey: Uint8Array;
  signedPreKey: { id: number; publicKey: Uint8Array; signature: Uint8Array };
  /** One-time key, given to one asker only. Linked devices run out of them, phones never do. */
  preKey?: { id: number; publicKey: Uint8Array };
  /** The proof that the phone linked this device; phones need none. */
  deviceIdentity?: Uint8Array;
};

/** A device of an account as others see it: the phone (device 0) or a linked device (1 and up). */
export interface Endpoint {
  readonly account: Account;
  readonly device: number;
  /** Takes a stanza and keeps it until the device has dealt with it, however long that takes. */
  deliver(stanza: BinaryNode): void;
  takeKeyBundle(): KeyBundle;
}
