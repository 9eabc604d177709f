import { createLog } from "../../../shared/log.ts";
import type { Storage } from "../../../shared/storage.ts";
import { DeviceState } from "../state.ts";

export type TestCreds = { registered: boolean; me?: { id: string }; step?: number };

/** Where the state of the one device of a test lies. */
export const place = (storage: Storage) => ({ storage, prefix: "devices/user/device/", key: Buffer.alloc(32, 9) });

export async function openState(storage: Storage, epoch = 1): Promise<DeviceState<TestCreds>> {
  const newCreds = (): TestCreds => ({ registered: false });
  const opened = await DeviceState.open({ ...place(storage), epoch, newCreds, log: createLog("test", "silent") });
  if (opened.outcome !== "open") throw new Error(JSON.stringify(opened));
  return opened.state;
}
