import "./quiet.ts";
import { proto } from "@whiskeysockets/baileys";
import type { SignalDataTypeMap, SignalKeyStore } from "@whiskeysockets/baileys";
import type { DeviceState } from "../device-state/state.ts";
import type { Credentials } from "./credentials.ts";

/**
 * What the server tells whoever asks. A session that was made with it is a later write, so none is ever stored without it;
 * by itself it causes no append.
 */
const CACHES = new Set<string>(["lid-mapping", "device-list"] satisfies (keyof SignalDataTypeMap)[]);

/**
 * The key store that Baileys gets. A write is visible at once and resolves at once; that nothing built on it leaves too
 * early is the output gate's work. Rejects only when the device state has failed.
 */
export function authKeys(state: DeviceState<Credentials>): SignalKeyStore {
  return {
    get: async <Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) => {
      const found = state.get(type, ids);
      if (type === "app-state-sync-key") {
        // Protobuf objects are stored in their JSON form, with base64 for bytes (as Baileys' own stores read them).
        for (const id in found) found[id] = proto.Message.AppStateSyncKeyData.fromObject(found[id] as object);
      }
      return found as { [id: string]: SignalDataTypeMap[Type] };
    },
    set: async (data) => {
      if (Object.keys(data).every((type) => CACHES.has(type))) state.setLazily(data);
      else state.set(data);
    },
  };
}
