import { afterAll, expect, test, vi } from "vitest";
import { ourParty, plainParty } from "./testing/signal-party.ts";

const original = { ...console };
afterAll(() => void Object.assign(console, original));

test("nothing that libsignal prints comes out, though it prints whole sessions", async () => {
  const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const err = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const spied = (["log", "info", "warn", "error"] as const).map((method) => vi.spyOn(console, method));
  const { party: us, state } = await ourParty("100000000000001@lid");
  const them = plainParty("100000000000002@lid");
  // The second session closes the first, and a message of the first then comes late.
  await them.startSession(us);
  const late = await them.encrypt(us, "late");
  await us.startSession(them);
  await them.startSession(us);
  await us.decrypt(them, await them.encrypt(us, "new"));
  await us.decrypt(them, late);
  await us.decrypt(them, { type: "msg", ciphertext: Buffer.alloc(80, 51) }).catch(() => undefined);
  await state.close();
  const printed = spied.flatMap((method) => method.mock.calls).length;
  const written = [...out.mock.calls, ...err.mock.calls];
  vi.restoreAllMocks();
  expect(printed).toBeGreaterThan(0);
  expect(written).toEqual([]);
});
