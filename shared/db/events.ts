import { createHash } from "node:crypto";
import type { EventBody, NewEvent, RecordedEvent } from "../events.ts";
import { hasContent } from "../without-content.ts";
import { newEventId } from "../ids.ts";
import type { DeviceId, EventId } from "../ids.ts";
import * as devices from "./devices.ts";
import type { HeldDevices } from "./devices.ts";
import { fanOut } from "./fan-out.ts";
import { execute, isDuplicate, parseJson, select } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";
import { toJson } from "./well-formed.ts";

type Row = {
  event_id: EventId;
  sequence: number;
  type: EventBody["type"];
  occurred_at: Date;
  data: unknown;
  is_erased: number;
};

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
  const held = await devices.hold(runner, [{ deviceId, epoch }], "waited for");
  if (!held.size) return "fenced";
  return await appendHeld(
    runner,
    held,
    events.map((event) => ({ deviceId, event })),
  );
}

/**
 * As `append`, for facts of several devices, all of which the transaction holds (`devices.hold`): those of each in the
 * order given. The deliveries of those that are new are written with them.
 */
export async function appendHeld(
  runner: Runner,
  held: HeldDevices,
  facts: readonly { deviceId: DeviceId; event: NewEvent }[],
): Promise<number> {
  if (!facts.length) return 0;
  const keyed = facts.map(({ deviceId, event }) => ({
    ...event,
    deviceId,
    dedupeKey: event.dedupeKey && bounded(event.dedupeKey),
  }));
  // What was recorded before is rare: the unique key finds it, without a look at it first.
  const isKeyed = keyed.every(({ otherKeys = [] }) => !otherKeys.length) && !hasDoubles(keyed);
  if (isKeyed) {
    try {
      return await insert(runner, held, keyed);
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
  }
  const known = await knownKeys(runner, keyed);
  const fresh = keyed.filter((event) => {
    const keys = keysOf(event).map((key) => keyOf(event.deviceId, key));
    if (keys.some((key) => known.has(key))) return false;
    for (const key of keys) known.add(key);
    return true;
  });
  return await insert(runner, held, fresh);
}

type Keyed = NewEvent & { deviceId: DeviceId };

function hasDoubles(events: readonly Keyed[]): boolean {
  const keys = events.flatMap((event) => keysOf(event).map((key) => keyOf(event.deviceId, key)));
  return new Set(keys).size < keys.length;
}

/** With their deliveries. Throws, and has changed nothing, when one of them is there. */
async function insert(runner: Runner, held: HeldDevices, events: readonly Keyed[]): Promise<number> {
  if (!events.length) return 0;
  const added = new Map<DeviceId, number>();
  const written = events.map((event) => {
    const device = held.get(event.deviceId);
    if (!device) throw new Error("events of a device whose row is not held");
    const count = (added.get(event.deviceId) ?? 0) + 1;
    added.set(event.deviceId, count);
    return { ...event, id: newEventId(), sequence: device.lastSequence + count };
  });
  const values = written.flatMap((event) => [
    event.deviceId,
    event.sequence,
    event.id,
    event.type,
    event.dedupeKey,
    event.occurredAt,
    toJson(event.data),
    event.trace ?? null,
    event.isUnkept && hasContent(event.type) ? 1 : 0,
  ]);
  await execute(
    runner,
    `INSERT INTO events
       (device_id, sequence, event_id, type, dedupe_key, occurred_at, data, traceparent, unkept_at)
     VALUES ${events.map(() => "(?, ?, ?, ?, ?, ?, ?, ?, IF(?, NOW(3), NULL))").join(",")}`,
    values,
  );
  for (const [deviceId, count] of added) {
    const device = held.get(deviceId);
    if (device) device.lastSequence += count;
  }
  await execute(
    runner,
    `UPDATE devices SET last_sequence = last_sequence + CASE device_id ${[...added].map(() => "WHEN ? THEN ?").join(" ")} END,
       last_activity = NOW(3)
     WHERE device_id IN (${[...added].map(() => "?").join(",")})`,
    [...[...added].flat(), ...added.keys()],
  );
  await fanOut(runner, written);
  return events.length;
}

/** As wide as the column. Ids in keys are written by strangers. */
const KEY_LENGTH = 200;
const bounded = (key: string) =>
  key.length <= KEY_LENGTH ? key : `sha256:${createHash("sha256").update(key).digest("hex")}`;

/**
 * Events after a sequence number, oldest first, without those of an earlier device of this id. The caller has made sure
 * that the device may be seen.
 */
export async function listAfter(
  database: Database,
  deviceId: DeviceId,
  after: number,
  limit: number,
): Promise<RecordedEvent[]> {
  const sql = `SELECT e.event_id, e.sequence, e.type, e.occurred_at, e.data, e.erased_at IS NOT NULL AS is_erased
    FROM events e JOIN devices d ON d.device_id = e.device_id
    WHERE e.device_id = ? AND e.sequence > GREATEST(?, d.forgotten_sequence)
    ORDER BY e.sequence LIMIT ${Math.trunc(limit)}`;
  const rows = await select<Row>(database.pool, sql, [deviceId, after]);
  return rows.map((row) => {
    const body = { type: row.type, data: parseJson(row.data) } as EventBody;
    const isErased = row.is_erased === 1;
    return { ...body, id: row.event_id, deviceId, sequence: row.sequence, occurredAt: row.occurred_at, isErased };
  });
}

/**
 * Takes events whose content waits to be erased for so long, those that have waited longest, for the rest of the
 * transaction. `isPending`: somebody is to be told of it still.
 */
export async function lockUnkept(
  runner: Runner,
  minutes: number,
  limit: number,
): Promise<{ id: EventId; body: EventBody; isPending: boolean }[]> {
  const waiting = `SELECT event_id AS id FROM events WHERE unkept_at <= NOW(3) - INTERVAL ? MINUTE
    ORDER BY unkept_at LIMIT ${Math.trunc(limit)}`;
  const found = await select<{ id: EventId }>(runner, waiting, [minutes]);
  if (!found.length) return [];
  // By their ids: a lock on a range would be one on what hosts are about to write as well.
  const sql = `SELECT event_id AS id, type, data FROM events WHERE event_id IN (${marks(found)})
    AND unkept_at IS NOT NULL FOR UPDATE SKIP LOCKED`;
  type Unkept = { id: EventId; type: EventBody["type"]; data: unknown };
  const rows = await select<Unkept>(
    runner,
    sql,
    found.map(({ id }) => id),
  );
  if (!rows.length) return [];
  const told = `SELECT DISTINCT event_id AS id FROM deliveries WHERE state = 'pending' AND event_id IN (${marks(rows)})`;
  const ids = rows.map(({ id }) => id);
  const pending = new Set((await select<{ id: EventId }>(runner, told, ids)).map(({ id }) => id));
  return rows.map(({ id, type, data }) => {
    const body = { type, data: parseJson(data) } as EventBody;
    return { id, body, isPending: pending.has(id) };
  });
}

/** They wait as long again. */
export async function postpone(runner: Runner, ids: readonly EventId[]): Promise<void> {
  if (!ids.length) return;
  await execute(runner, `UPDATE events SET unkept_at = NOW(3) WHERE event_id IN (${marks(ids)})`, [...ids]);
}

/** Puts what is left of them in place of their content, and forgets what receivers have answered, who may repeat it. */
export async function erase(
  runner: Runner,
  erased: readonly { id: EventId; data: EventBody["data"] }[],
): Promise<void> {
  if (!erased.length) return;
  const ids = erased.map(({ id }) => id);
  const sql = `UPDATE events SET data = CASE event_id ${erased.map(() => "WHEN ? THEN ?").join(" ")} END,
    unkept_at = NULL, erased_at = NOW(3) WHERE event_id IN (${marks(ids)})`;
  await execute(runner, sql, [...erased.flatMap(({ id, data }) => [id, toJson(data)]), ...ids]);
  const forget = `UPDATE deliveries d LEFT JOIN delivery_tries t ON t.delivery_id = d.delivery_id
    SET d.answer = NULL, t.answer = NULL WHERE d.event_id IN (${marks(ids)})`;
  await execute(runner, forget, ids);
}

const marks = (values: readonly unknown[]) => values.map(() => "?").join(",");

/** Device ids have no such sign. */
const keyOf = (deviceId: DeviceId, dedupeKey: string) => `${deviceId}|${dedupeKey}`;

/** All under which a fact may have been recorded. */
const keysOf = ({ dedupeKey, otherKeys = [] }: NewEvent) => (dedupeKey ? [dedupeKey, ...otherKeys.map(bounded)] : []);

async function knownKeys(runner: Runner, events: readonly Keyed[]): Promise<Set<string>> {
  const byDevice = new Map<DeviceId, string[]>();
  for (const event of events) {
    const keys = keysOf(event);
    if (keys.length) byDevice.set(event.deviceId, [...(byDevice.get(event.deviceId) ?? []), ...keys]);
  }
  if (!byDevice.size) return new Set();
  const conditions = [...byDevice.values()].map(
    (keys) => `(device_id = ? AND dedupe_key IN (${keys.map(() => "?").join(",")}))`,
  );
  const sql = `SELECT device_id, dedupe_key FROM events WHERE ${conditions.join(" OR ")}`;
  type Known = { device_id: DeviceId; dedupe_key: string };
  const rows = await select<Known>(runner, sql, [...byDevice].flat(2));
  return new Set(rows.map((row) => keyOf(row.device_id, row.dedupe_key)));
}
