import { expect, test } from "vitest";
import { createLog } from "../../shared/log.ts";
import { DeviceState } from "../device-state/state.ts";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { newCredentials, saveCredentials } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";
import { PLACE } from "./testing/test-device.ts";

async function openState() {
  const log = createLog("test", "silent");
  const owner = { ...PLACE, storage: new MemoryStorage(), epoch: 1 };
  const opened = await DeviceState.open<Credentials>({ ...owner, newCreds: newCredentials, log });
  if (opened.outcome !== "open") throw new Error(opened.outcome);
  return opened.state;
}

test("what WhatsApp tells at each login costs no append; a change of keys does, and so does everything while linking", async () => {
  const state = await openState();
  const writes = (update: Partial<Credentials>) => {
    const before = state.seq;
    saveCredentials(state, update);
    return state.seq - before;
  };
  expect(writes(state.creds)).toBe(1);
  expect(writes({ me: { id: "6281100000001:1@s.whatsapp.net" } })).toBe(1);
  expect(writes({ account: {} })).toBe(1);
  for (const told of [state.creds, { lastPropHash: "a" }, { routingInfo: Buffer.of(1) }]) expect(writes(told)).toBe(0);
  expect(writes({ nextPreKeyId: 7 })).toBe(1);
  await state.close();
});
