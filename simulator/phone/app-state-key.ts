import { randomBytes } from "node:crypto";
import { proto } from "@whiskeysockets/baileys";

/** The key that all devices of an account encrypt their app state with. */
export type AppStateKey = { keyId: Uint8Array; keyData: Uint8Array };

export function createAppStateKey(): AppStateKey {
  return { keyId: randomBytes(6), keyData: randomBytes(32) };
}

/** What a phone tells a freshly linked device first of all: how to read the app state. */
export function appStateKeyShare({ keyId, keyData }: AppStateKey): proto.IMessage {
  const { APP_STATE_SYNC_KEY_SHARE } = proto.Message.ProtocolMessage.Type;
  const fingerprint = { rawId: 1, currentIndex: 0, deviceIndexes: [0] };
  const keys = [{ keyId: { keyId }, keyData: { keyData, fingerprint, timestamp: Date.now() } }];
  return { protocolMessage: { type: APP_STATE_SYNC_KEY_SHARE, appStateSyncKeyShare: { keys } } };
}
