import type { SignalDataTypeMap, SignalKeyStoreWithTransaction } from "@whiskeysockets/baileys";
import type { DeviceState } from "../device-state/state.ts";
import type { Credentials } from "./credentials.ts";
import { authKeys } from "./auth-keys.ts";
import { repairSenderKeyRecord } from "./sender-key-record.ts";
import { mergeSession, onlySession, toSessionRecord } from "./session-record.ts";
import type { SessionRecord } from "./session-record.ts";

/** One session of one record, which is all that the reader sees of it. */
type Shown = { address: string; baseKey: string };

export type DirectKeys = SignalKeyStoreWithTransaction & {
  sessionRecord: (address: string) => SessionRecord | undefined;
  showingOnly: <Result>(address: string, baseKey: string, work: () => Promise<Result>) => Promise<Result>;
};

/**
 * The key store under libsignal: the device's memory itself, without Baileys' transactions. Those read at the start of
 * an operation and write back at its end, over what another operation has stored meanwhile, and they follow the
 * asynchronous context, which libsignal's process-wide job queue does not. Here a transaction is just its work: the
 * device's lock is around it.
 */
export function directKeys(state: DeviceState<Credentials>): DirectKeys {
  const keys = authKeys(state);
  let shown: Shown | undefined;

  const sessionRecord = (address: string) => toSessionRecord(state.get("session", [address])[address]);

  return {
    sessionRecord,
    async showingOnly(address, baseKey, work) {
      shown = { address, baseKey };
      try {
        return await work();
      } finally {
        shown = undefined;
      }
    },

    async get<Type extends keyof SignalDataTypeMap>(type: Type, ids: string[]) {
      const found: { [id: string]: unknown } = await keys.get(type, ids);
      const record = type === "session" && shown ? toSessionRecord(found[shown.address]) : undefined;
      if (shown && record) found[shown.address] = onlySession(record, shown.baseKey);
      return found as { [id: string]: SignalDataTypeMap[Type] };
    },

    async set(data) {
      const changed = shown && toSessionRecord(data.session?.[shown.address]);
      const whole = shown && sessionRecord(shown.address);
      if (shown && changed && whole) {
        const merged = mergeSession(whole, shown.baseKey, changed);
        return state.set({ ...data, session: { ...data.session, [shown.address]: merged } });
      }
      const records = data["sender-key"];
      if (!records) return state.set(data);
      const repaired = Object.entries(records).map(([id, record]) => [id, record && repairSenderKeyRecord(record)]);
      state.set({ ...data, "sender-key": Object.fromEntries(repaired) });
    },

    transaction: (work) => work(),
    isInTransaction: () => false,
  };
}
