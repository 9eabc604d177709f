import { createHash } from "node:crypto";
import { DEFAULT_CONNECTION_CONFIG, type SocketConfig } from "@whiskeysockets/baileys";

/**
 * For Baileys' `makeSignalRepository`: decrypts each ciphertext once and remembers what came out, over all connections of a
 * client. When a connection ends between decrypting a message and its receipt, Baileys drops the message without an event
 * (Socket/messages-recv.js, `handleMessage`); the server brings it again, and the ratchet can not open it a second time.
 * An application that must not lose messages needs this, or a journal.
 */
export function decryptOnce(): SocketConfig["makeSignalRepository"] {
  const known = new Map<string, Uint8Array>();
  return (...parts) => {
    const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(...parts);
    return {
      ...repository,
      async decryptMessage(sealed) {
        const id = createHash("sha256").update(sealed.ciphertext).digest("hex");
        const plaintext = known.get(id) ?? (await repository.decryptMessage(sealed));
        known.set(id, plaintext);
        return plaintext;
      },
    };
  };
}
