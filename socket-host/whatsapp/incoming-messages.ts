import type { BinaryNode } from "@whiskeysockets/baileys";

/**
 * Has messages dealt with in the order in which they came, and knows which stanza a ciphertext came in.
 *
 * Baileys queues what waited for the device (`offline`), but deals with what comes live at once (lib/Socket/messages-recv.js,
 * processNode). A live message of a group would then overtake the one that brings its sender key: it cannot be read, its
 * author is asked for it again, the answer brings the key as it is by then, and with that key nothing older can be read.
 * So what comes live goes into the same queue as long as something waits there.
 */
export class IncomingMessages {
  readonly #stanzas = new WeakMap<Uint8Array, BinaryNode>();
  /** The last message in Baileys' queue, until Baileys begins with it. */
  #lastQueued: BinaryNode | undefined;

  /** For every stanza of a message, before Baileys sees it. */
  take(stanza: BinaryNode): void {
    const children = Array.isArray(stanza.content) ? stanza.content : [];
    const ciphertexts = children.flatMap(({ content }) => (content instanceof Uint8Array ? [content] : []));
    for (const ciphertext of ciphertexts) this.#stanzas.set(ciphertext, stanza);
    // Keys and histories of the own phone: Baileys waits for them while it deals with the others.
    if (!ciphertexts.length || stanza.attrs["category"] === "peer") return;
    if (this.#lastQueued) stanza.attrs["offline"] ??= "0";
    if (stanza.attrs["offline"] !== undefined) this.#lastQueued = stanza;
  }

  /** The stanza of a ciphertext, with which Baileys begins now. By identity: it hands over the very bytes of the stanza. */
  begin(ciphertext: Uint8Array): BinaryNode | undefined {
    const stanza = this.#stanzas.get(ciphertext);
    if (stanza === this.#lastQueued) this.#lastQueued = undefined;
    return stanza;
  }
}
