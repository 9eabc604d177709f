import { afterAll, beforeAll, expect, it } from "vitest";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { PeerEffects } from "../peer-effects.ts";
import { AddressBook } from "./address-book.ts";
import { incomingMessages } from "./decode/incoming-message.ts";
import { isMessage, unavailableEntry } from "./decode/journaled.ts";
import { peerMessage } from "./decode/peer-message.ts";
import { TestDevice } from "./testing/test-device.ts";
import { startTestSimulator } from "./testing/test-simulator.ts";
import type { TestSimulator } from "./testing/test-simulator.ts";
import { until } from "./testing/until.ts";

let simulator: TestSimulator;
beforeAll(async () => {
  simulator = await startTestSimulator();
});
afterAll(() => simulator.end());

async function linked(phone: string): Promise<TestDevice> {
  await simulator.addPhone(phone);
  const device = await TestDevice.load(simulator.wsUrl, new MemoryStorage(), 1);
  await device.connect();
  await simulator.scan(phone, device.qr ?? "");
  await device.finishLinking();
  return device;
}

it("Baileys acts on a message of its own phone when it is given that from the journal", async () => {
  const device = await linked("15551009001");
  try {
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

it("our phone passes on a message that came without content, and it is the same message", async () => {
  const [own, other] = ["15551009002", "15551009003"];
  const device = await linked(own);
  try {
    await simulator.addPhone(other);
    const id = await simulator.write(other, own, "dari HP");
    const { state } = device;
    const read = () => {
      const reader = { creds: state.creds, book: new AddressBook(state) };
      return [...state.inbox.values()].filter(isMessage).flatMap((entry) => incomingMessages(entry, reader));
    };
    await until(() => read().length === 1);
    const attrs = { id, from: `${other}@s.whatsapp.net`, type: "text", t: String(Math.trunc(Date.now() / 1000)) };
    const [, entry] = unavailableEntry(attrs, "");
    expect(new PeerEffects(state).isMissing(entry)).toBe(true);
    device.giveAgain(entry);
    await until(() => read().length === 2);
    const [direct, passedOn] = read();
    expect(passedOn).toMatchObject({ key: direct?.key, content: direct?.content });
  } finally {
    await device.close();
  }
});
