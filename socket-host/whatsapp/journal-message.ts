import { createHash } from "node:crypto";
import type { DeviceState } from "../device-state/state.ts";
import { AddressBook } from "./address-book.ts";
import type { Credentials } from "./credentials.ts";
import { WITHHELD } from "./decode/incoming-message.ts";
import { withOtherNames } from "./decode/other-names.ts";

/** By what the journal knows the bytes of a message, as they came. */
export const journalKey = (received: Uint8Array) =>
  createHash("sha256").update(received).digest("base64url").slice(0, 22);

/** Far above what people can write; a single message must not be larger than an append of the state may be. */
const MAX_PLAIN_BYTES = 2 << 20;

type Received = { key: string; attrs: Record<string, string>; kind: string; plain: Uint8Array };

/**
 * Writes down what a message says, in the tick in which it was decrypted or came. Whom it names by one address only gets
 * the other one too if it is known now, so that its event is the same whenever it is made. Of what is too large only
 * remains that it came. Throws when the state has failed.
 */
export function journalMessage(state: DeviceState<Credentials>, { key, attrs, kind, plain }: Received): void {
  const named = withOtherNames({ ...attrs }, new AddressBook(state));
  const entry =
    plain.length > MAX_PLAIN_BYTES
      ? { kind: WITHHELD, plain: Buffer.from("oversized") }
      : { kind, plain: Buffer.from(plain) };
  state.journal(key, { attrs: named, ...entry, at: Date.now() });
}
