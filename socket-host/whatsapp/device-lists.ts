import type { CacheStore } from "@whiskeysockets/baileys";
import type { DeviceState } from "../device-state/state.ts";
import type { Credentials } from "./credentials.ts";

const TYPE = "known-devices";
const TTL_MS = 3_600_000;

/**
 * Who has which linked devices, for an hour, kept with the device state. Baileys' own cache is empty after each restart,
 * and the first message to each contact then forces a new session with all their devices (lib/Socket/messages-send.js,
 * getUSyncDevices): some 35 ms of CPU and one of the contact's one-time keys. Losing an entry costs just that, so none
 * is waited for.
 */
export function deviceLists(state: DeviceState<Credentials>): CacheStore {
  return {
    get: (user) => {
      const known = state.get(TYPE, [user])[user] as { until: number; devices: never } | undefined;
      return known && Date.now() < known.until ? known.devices : undefined;
    },
    set: (user, devices) => state.setLazily({ [TYPE]: { [user]: { until: Date.now() + TTL_MS, devices } } }),
    del: (user) => state.setLazily({ [TYPE]: { [user]: null } }),
    flushAll: () => {
      throw new Error("Baileys does not empty this cache");
    },
  };
}

/** Their devices are asked for again before the next message. */
export function forgetDeviceLists(state: DeviceState<Credentials>, users: readonly string[]): void {
  state.setLazily({ [TYPE]: Object.fromEntries(users.map((user) => [user, null])) });
}
