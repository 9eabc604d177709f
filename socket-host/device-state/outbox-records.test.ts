import { expect, test } from "vitest";
import { OutboxRecords } from "./outbox-records.ts";

const DAY_MS = 86_400_000;
const message = (at: number, size = 10) => ({ to: "15550000001@s.whatsapp.net", bytes: Buffer.alloc(size), at });

test("messages older than 14 days go, oldest first", () => {
  const outbox = new OutboxRecords();
  const now = 100 * DAY_MS;
  for (const age of [20, 15, 13, 1]) outbox.put(`${age} days`, message(now - age * DAY_MS));
  expect(outbox.dropOld(now)).toEqual(["20 days", "15 days"]);
  expect([...outbox.keys()]).toEqual(["13 days", "1 days"]);
});

test("beyond 5,000 messages the oldest go", () => {
  const outbox = new OutboxRecords();
  for (let count = 0; count < 5_003; count++) outbox.put(String(count), message(0));
  expect(outbox.dropOld(0)).toEqual(["0", "1", "2"]);
});

test("beyond 8 MiB the oldest go, and what was replaced or deleted no longer counts", () => {
  const outbox = new OutboxRecords();
  outbox.put("replaced", message(0, 8 << 20));
  outbox.put("replaced", message(0, 1 << 20));
  outbox.put("deleted", message(0, 8 << 20));
  outbox.delete("deleted");
  outbox.put("kept", message(0, 7 << 20));
  expect(outbox.dropOld(0)).toEqual([]);
  outbox.put("new", message(0, 1 << 20));
  expect(outbox.dropOld(0)).toEqual(["replaced"]);
});

test("a short message keeps no more memory than its bytes", () => {
  const outbox = new OutboxRecords();
  const bytes = Buffer.from("a piece of a larger block");
  expect(bytes.buffer.byteLength).toBeGreaterThan(bytes.length);
  outbox.put("short", { ...message(0), bytes });
  const kept = outbox.get("short")?.bytes;
  expect(kept).toEqual(bytes);
  expect(kept?.buffer.byteLength).toBe(bytes.length);
});
