import "./quiet.ts";
import { proto } from "@whiskeysockets/baileys";
import type { SignalDataTypeMap, SignalKeyStore } from "@whiskeysockets/baileys";
import type { DeviceState } from "../device-state/state.ts";
import type { Credentials } from "./credentials.ts";

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
    set: async (data) => state.set(data),
  };
}
