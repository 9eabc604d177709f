import { expect, test } from "vitest";
import { soak } from "./testing/soak.ts";
import { ALICE, BOB, World } from "./testing/world.ts";

test("all messages arrive, whole and readable, through drops, reconnects, lost acks and spoiled copies", async () => {
  const world = await World.start();
  try {
    const { missing, wrong, messages, mishaps } = await soak(world, [ALICE, BOB], 100);
    expect({ missing, wrong, messages }).toEqual({ missing: [], wrong: [], messages: 200 });
    expect(mishaps).toEqual({ corrupt: 10, drop: 4, "stream-error": 2, reconnect: 2, "no-ack": 2, slow: 6 });
  } finally {
    await world.dispose();
  }
}, 120_000);
