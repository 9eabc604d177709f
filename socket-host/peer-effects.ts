import type { DeviceState, JournalEntry } from "./device-state/state.ts";
import type { Credentials } from "./whatsapp/credentials.ts";
import { isUnavailable } from "./whatsapp/decode/journaled.ts";
import { peerMessage } from "./whatsapp/decode/peer-message.ts";

/** After this long the phone's files are gone, and what it gave is worth no more. */
const KEEP_MS = 24 * 3_600_000;

/** By what the notification of a piece of history names it. */
export type HistoryPiece = { syncType: number; chunkOrder: number; requestId: string | undefined };

/**
 * Which of the journaled messages for Baileys itself have had their effect: keys of the app state, pairs of phone number
 * and LID, pieces of the phone's history; and which messages without content our phone has passed on. Baileys acts on
 * them only after its receipt has left; so they stay in the journal until the effect is there, and after a crash Baileys
 * is given them again.
 */
export class PeerEffects {
  readonly #state: DeviceState<Credentials>;
  readonly #storedHistory = new WeakSet<JournalEntry>();

  constructor(state: DeviceState<Credentials>) {
    this.#state = state;
  }

  /** Whether Baileys still owes something for this entry. */
  isMissing(entry: JournalEntry): boolean {
    if (this.#state.failed || Date.now() - entry.at > KEEP_MS) return false;
    // It is forgotten with the event of the phone's answer.
    if (isUnavailable(entry)) return true;
    const message = peerMessage(entry);
    if (!message) return false;
    switch (message.kind) {
      case "keys":
        return !this.#hasAll("app-state-sync-key", message.ids);
      case "lids":
        return !this.#hasAll("lid-mapping", message.phones);
      case "history":
        return !this.#storedHistory.has(entry);
    }
  }

  historyStored({ syncType, chunkOrder, requestId }: HistoryPiece): void {
    for (const entry of this.#state.inbox.values()) {
      const piece = peerMessage(entry);
      if (piece?.kind !== "history" || piece.syncType !== syncType) continue;
      if (piece.chunkOrder === chunkOrder && piece.requestId === requestId) this.#storedHistory.add(entry);
    }
  }

  #hasAll(type: string, ids: readonly string[]): boolean {
    const found = this.#state.get(type, ids);
    return ids.every((id) => found[id] !== undefined);
  }
}
