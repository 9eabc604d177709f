import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { MemoryStorage } from "../device-state/testing/memory-storage.ts";
import { message, openChats } from "./testing/test-chats.ts";

const DEVICES = 2;
const MESSAGES = 10_000;
const CONTACTS = 500;
const BATCH = 50;
/** docs/chat-store.md says what was measured. */
const MOST_BYTES = 900 << 10;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

function usedBytes(): number {
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const phone = (n: number) => `62811${String(n % CONTACTS).padStart(8, "0")}@s.whatsapp.net`;
/** Lengths from a few words to a few lines. */
const text = (n: number) => `pesan ${n} ${"lorem ipsum dolor sit amet ".repeat(n % 9)}`;
const incoming = (n: number) =>
  message({
    chat: phone(n),
    id: `3EB0${String(n).padStart(18, "0")}`,
    at: n * 1000,
    name: `Nama ${n % CONTACTS}`,
    text: text(n),
  });

async function fullDevice() {
  const storage = new MemoryStorage();
  const life = await openChats(storage, 1);
  for (let at = 0; at < MESSAGES; at += BATCH) {
    await life.store.take(Array.from({ length: BATCH }, (_, n) => incoming(at + n)));
    await life.state.flush();
  }
  await life.store.idle();
  // What lies in the bucket is not what is measured.
  storage.objects.clear();
  return life;
}

test("a device with 10,000 messages of 500 contacts takes less than 900 KiB", { timeout: 60_000 }, async () => {
  // The first one brings the code with it.
  const first = await fullDevice();
  const before = usedBytes();
  const lives = [];
  for (let n = 0; n < DEVICES; n++) lives.push(await fullDevice());
  const perDevice = (usedBytes() - before) / DEVICES;
  expect(first.store.records.pages.size).toBeGreaterThan(20);
  expect(perDevice).toBeLessThan(MOST_BYTES);
  await Promise.all([first, ...lives].map(({ state }) => state.close()));
});
