import { decodeStanza } from "../wire/decode-stanza.ts";
import { encodeStanza } from "../wire/encode-stanza.ts";
import type { BinaryNode } from "../wire/node.ts";

/** More than this waits for nobody: the oldest is dropped, and counted in the statistics. */
export const MAX_QUEUED_STANZAS = 20_000;

/**
 * What a device has not acknowledged yet, oldest first. Two copies of one message are two entries, and each receipt
 * settles one of them: the one that was delivered first.
 */
export class StanzaQueue {
  #entries: { stanza: BinaryNode; isSent: boolean }[] = [];

  get length(): number {
    return this.#entries.length;
  }

  /** Adds a stanza; answers false if the oldest one had to go for it. */
  push(stanza: BinaryNode, isSent = false): boolean {
    this.#entries.push({ stanza, isSent });
    if (this.#entries.length <= MAX_QUEUED_STANZAS) return true;
    this.#entries.shift();
    return false;
  }

  /** Removes the oldest entry with this tag and id (and `type` attribute, if the kind has one). */
  settle(tag: string, id: string, type?: string): boolean {
    const index = this.#entries.findIndex(
      ({ stanza }) =>
        stanza.tag === tag && stanza.attrs["id"] === id && (tag === "message" || stanza.attrs["type"] === type),
    );
    if (index === -1) return false;
    this.#entries.splice(index, 1);
    return true;
  }

  /** A new connection knows nothing of what the last one was sent. */
  markAllUnsent(): void {
    for (const entry of this.#entries) entry.isSent = false;
  }

  /** What waits to be sent. Entries for which `send` answers true count as sent, but stay until they are settled. */
  sendWaiting(send: (stanza: BinaryNode) => boolean): void {
    for (const entry of this.#entries) if (!entry.isSent) entry.isSent = send(entry.stanza);
  }

  waiting(): BinaryNode[] {
    return this.#entries.filter((entry) => !entry.isSent).map((entry) => entry.stanza);
  }

  toRecord(): Uint8Array[] {
    return this.#entries.map(({ stanza }) => encodeStanza(stanza));
  }

  load(record: Uint8Array[]): void {
    for (const bytes of record) this.push(decodeStanza(Buffer.from(bytes)));
  }
}
