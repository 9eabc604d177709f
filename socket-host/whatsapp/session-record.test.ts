import { expect, test } from "vitest";
import { mergeSession, onlySession, sessionOrder, toSessionRecord } from "./session-record.ts";
import { ourParty, plainParty } from "./testing/signal-party.ts";

const session = (used: number | undefined, step = 0) => ({ indexInfo: { used }, step });
const record = { version: "v1", _sessions: { old: session(1), newest: session(3), never: session(undefined) } };

test("sessions are tried in libsignal's order: the one used last first", () => {
  expect(sessionOrder(record)).toEqual(["newest", "old", "never"]);
});

test("one session is shown and merged back; the others stay as they were", () => {
  const shown = onlySession(record, "old");
  expect(shown).toEqual({ version: "v1", _sessions: { old: session(1) } });
  const changed = { version: "v1", _sessions: { old: session(9, 1) } };
  expect(mergeSession(record, "old", changed)).toEqual({
    version: "v1",
    _sessions: { old: session(9, 1), newest: session(3), never: session(undefined) },
  });
});

test("a session that is gone shows nothing and merges nothing", () => {
  expect(onlySession(record, "gone")).toEqual({ version: "v1", _sessions: {} });
  expect(mergeSession(record, "gone", { _sessions: {} })).toBe(record);
});

test("what has another form is left alone", () => {
  for (const value of [undefined, null, Buffer.from("bytes"), {}, { _sessions: { a: {} } }]) {
    expect(toSessionRecord(value)).toBeUndefined();
  }
});

test("libsignal's records have the form that this rests on", async () => {
  const { party: us, state } = await ourParty("100000000000001@lid");
  const them = plainParty("100000000000002@lid");
  await us.startSession(them);
  await us.startSession(them);
  const value = state.get("session", ["100000000000002_1.0"])["100000000000002_1.0"];
  const found = toSessionRecord(value);
  expect(found).toEqual(value);
  expect(found && sessionOrder(found)).toHaveLength(2);
  await state.close();
});
