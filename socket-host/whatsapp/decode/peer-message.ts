import "../quiet.ts";
import { proto, unpadRandomMax16 } from "@whiskeysockets/baileys";
import type { BinaryNode } from "@whiskeysockets/baileys";
import type { JournalEntry } from "../../device-state/state.ts";
import { isUnavailable } from "./journaled.ts";

/** What another device of this account, mostly the phone, tells Baileys itself, and by what its effect can be seen. */
export type PeerMessage =
  | { kind: "keys"; ids: string[] }
  | { kind: "lids"; phones: string[] }
  | { kind: "history"; syncType: number; chunkOrder: number; requestId: string | undefined };

const { APP_STATE_SYNC_KEY_SHARE, HISTORY_SYNC_NOTIFICATION, LID_MIGRATION_MAPPING_SYNC } =
  proto.Message.ProtocolMessage.Type;
const { INITIAL_BOOTSTRAP, RECENT, PUSH_NAME, ON_DEMAND } = proto.HistorySync.HistorySyncType;
/** Of those that Baileys processes (lib/Defaults, PROCESSABLE_HISTORY_TYPES), the ones that we let it. */
const WANTED_HISTORY: number[] = [INITIAL_BOOTSTRAP, RECENT, PUSH_NAME, ON_DEMAND];

/** Undefined for every other journal entry, and for what has no effect. */
export function peerMessage(entry: JournalEntry): PeerMessage | undefined {
  if (entry.attrs["category"] !== "peer") return undefined;
  const message = peerContent(entry);
  if (!message) return undefined;
  const {
    type,
    appStateSyncKeyShare,
    historySyncNotification: history,
    lidMigrationMappingSyncMessage: lids,
  } = message;
  if (type === APP_STATE_SYNC_KEY_SHARE) {
    const ids = (appStateSyncKeyShare?.keys ?? []).map(({ keyId }) =>
      Buffer.from(keyId?.keyId ?? []).toString("base64"),
    );
    return ids.length ? { kind: "keys", ids } : undefined;
  }
  if (type === HISTORY_SYNC_NOTIFICATION && history && WANTED_HISTORY.includes(history.syncType ?? -1)) {
    const requestId = history.peerDataRequestSessionId || undefined;
    return { kind: "history", syncType: history.syncType ?? 0, chunkOrder: history.chunkOrder ?? 0, requestId };
  }
  if (type === LID_MIGRATION_MAPPING_SYNC && lids?.encodedMappingPayload?.length) {
    const { pnToLidMappings } = proto.LIDMigrationMappingSyncPayload.decode(lids.encodedMappingPayload);
    return { kind: "lids", phones: pnToLidMappings.map(({ pn }) => String(pn)) };
  }
  return undefined;
}

/** The stanza as Baileys takes it a second time: its ratchet step is gone, so without encryption. */
export function peerStanza(entry: JournalEntry): BinaryNode {
  const { offline: _was, ...attrs } = entry.attrs;
  const child = isUnavailable(entry)
    ? { tag: "unavailable", attrs: { ...(entry.plain.length && { type: entry.plain.toString() }) } }
    : { tag: "plaintext", attrs: {}, content: unpadRandomMax16(entry.plain) };
  return { tag: "message", attrs, content: [child] };
}

function peerContent({ plain }: JournalEntry): proto.Message.IProtocolMessage | undefined {
  try {
    const message = proto.Message.decode(unpadRandomMax16(plain));
    return (message.deviceSentMessage?.message ?? message).protocolMessage ?? undefined;
  } catch {
    return undefined;
  }
}
