import { createHash } from "node:crypto";
import type { Event, EventBody, NewEvent } from "../events.ts";
import { newEventId } from "../ids.ts";
import type { DeviceId, EventId } from "../ids.ts";
import { execute, parseJson, select } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";

type Row = { event_id: EventId; sequence: number; type: EventBody["type"]; occurred_at: Date; data: unknown };

/**
 * Records facts in the order given, with the next numbers of the device and no gap. What was recorded before (by its
 * dedupe key) is passed over. Runs inside the caller's transaction, whose lock on the device row keeps the order.
 * @returns how many were new, or `fenced` when another host owns the device or it was removed: nothing was written
 */
export async function append(
  runner: Runner,
  deviceId: DeviceId,
  epoch: number,
  events: readonly NewEvent[],
): Promise<number | "fenced"> {
  if (!events.length) return 0;
  const [device] = await select<{ last_sequence: number }>(
    runner,
    "SELECT last_sequence FROM devices WHERE device_id = ? AND epoch <= ? FOR UPDATE",
    [deviceId, epoch],
  );
  if (!device) return "fenced";
  const keyed = events.map((event) => ({ ...event, dedupeKey: event.dedupeKey && bounded(event.dedupeKey) }));
  const known = await knownKeys(runner, deviceId, keyed);
  const fresh = keyed.filter((event) => {
    if (event.dedupeKey === null) return true;
    if (known.has(event.dedupeKey)) return false;
    known.add(event.dedupeKey);
    return true;
  });
  if (!fresh.length) return 0;
  const values = fresh.flatMap((event, index) => [
    deviceId,
    device.last_sequence + index + 1,
    newEventId(),
    event.type,
    event.dedupeKey,
    event.occurredAt,
    JSON.stringify(event.data, wellFormed),
  ]);
  await execute(
    runner,
    `INSERT INTO events (device_id, sequence, event_id, type, dedupe_key, occurred_at, data)
     VALUES ${fresh.map(() => "(?, ?, ?, ?, ?, ?, ?)").join(",")}`,
    values,
  );
  await execute(
    runner,
    "UPDATE devices SET last_sequence = last_sequence + ?, last_activity = NOW(3) WHERE device_id = ?",
    [fresh.length, deviceId],
  );
  return fresh.length;
}

/** As wide as the column. Ids in keys are written by strangers. */
const KEY_LENGTH = 200;
const bounded = (key: string) =>
  key.length <= KEY_LENGTH ? key : `sha256:${createHash("sha256").update(key).digest("hex")}`;

/** Half a surrogate pair is no JSON for the database, and a stranger's text may have one. */
const wellFormed = (_name: string, value: unknown) =>
  typeof value === "string" ? value.replaceAll(/\p{Surrogate}/gu, "\ufffd") : value;

/**
 * Events after a sequence number, oldest first, without those of an earlier device of this id. The caller has made sure
 * that the device may be seen.
 */
export async function listAfter(
  database: Database,
  deviceId: DeviceId,
  after: number,
  limit: number,
): Promise<Event[]> {
  const sql = `SELECT e.event_id, e.sequence, e.type, e.occurred_at, e.data
    FROM events e JOIN devices d ON d.device_id = e.device_id
    WHERE e.device_id = ? AND e.sequence > GREATEST(?, d.forgotten_sequence)
    ORDER BY e.sequence LIMIT ${Math.trunc(limit)}`;
  const rows = await select<Row>(database.pool, sql, [deviceId, after]);
  return rows.map((row) => {
    const body = { type: row.type, data: parseJson(row.data) } as EventBody;
    return { ...body, id: row.event_id, deviceId, sequence: row.sequence, occurredAt: row.occurred_at };
  });
}

async function knownKeys(runner: Runner, deviceId: DeviceId, events: readonly NewEvent[]): Promise<Set<string>> {
  const keys = events.flatMap((event) => event.dedupeKey ?? []);
  if (!keys.length) return new Set();
  const sql = `SELECT dedupe_key FROM events WHERE device_id = ? AND dedupe_key IN (${keys.map(() => "?").join(",")})`;
  const rows = await select<{ dedupe_key: string }>(runner, sql, [deviceId, ...keys]);
  return new Set(rows.map((row) => row.dedupe_key));
}
