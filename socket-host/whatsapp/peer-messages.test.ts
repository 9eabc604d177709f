import { afterAll, beforeAll, expect, it } from "vitest";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { PeerEffects } from "../peer-effects.ts";
import { peerMessage } from "./decode/peer-message.ts";
import { TestDevice } from "./testing/test-device.ts";
import { startTestSimulator } from "./testing/test-simulator.ts";
import type { TestSimulator } from "./testing/test-simulator.ts";
import { until } from "./testing/until.ts";

const OWN = "15551009001";

let simulator: TestSimulator;
beforeAll(async () => {
  simulator = await startTestSimulator();
  await simulator.addPhone(OWN);
});
afterAll(() => simulator.end());

it("Baileys acts on a message of its own phone when it is given that from the journal", async () => {
  const device = await TestDevice.load(simulator.wsUrl, new MemoryStorage(), 1);
  try {
    await device.connect();
    await simulator.scan(OWN, device.qr ?? "");
    await device.finishLinking();
    const { state } = device;
    const effects = new PeerEffects(state);
    const keyShare = [...state.inbox.values()].find((entry) => peerMessage(entry)?.kind === "keys");
    const message = keyShare && peerMessage(keyShare);
    if (!keyShare || message?.kind !== "keys") throw new Error("the phone gave no keys");
    expect(effects.isMissing(keyShare)).toBe(false);
    // As a crash would leave it that came between the receipt and the effect.
    state.set({ "app-state-sync-key": Object.fromEntries(message.ids.map((id) => [id, null])) });
    expect(effects.isMissing(keyShare)).toBe(true);
    device.giveAgain(keyShare);
    await until(() => !effects.isMissing(keyShare));
  } finally {
    await device.close();
  }
});
