import type { EventType } from "../events.ts";
import type { DeviceId, EventId, WebhookId } from "../ids.ts";
import type { Notice } from "../notices.ts";
import { select } from "./pool.ts";
import type { Database } from "./pool.ts";

export type DeliveryState = "pending" | "delivered" | "dead";

/** What came of a try. `status` is null when there was no answer; `error` is a stable word, null when it was taken. */
export type PastTry = { at: Date; ms: number; status: number | null; answer: string | null; error: string | null };

/** One event for one webhook, and what came of it so far. `deviceId` is empty when it is about none. */
export type Delivery = {
  deliveryId: number;
  webhookId: WebhookId;
  eventId: EventId;
  deviceId: DeviceId | "";
  sequence: number;
  type: EventType | Notice["type"];
  state: DeliveryState;
  tries: number;
  createdAt: Date;
  /** When it is tried next; null when it has ended. */
  dueAt: Date | null;
  lastTry: PastTry | null;
  /** Those that failed before it, oldest first. */
  earlierTries: PastTry[];
  /** Why it is dead, where it was never tried. */
  error: string | null;
};

type Row = Omit<Delivery, "lastTry" | "earlierTries"> & Tried;
type Tried = {
  triedAt: Date | null;
  triedMs: number | null;
  answerStatus: number | null;
  answer: string | null;
  error: string | null;
};

const TRY_COLUMNS = `tried_at AS triedAt, tried_ms AS triedMs, answer_status AS answerStatus, answer, error`;
const COLUMNS = `delivery_id AS deliveryId, webhook_id AS webhookId, event_id AS eventId, device_id AS deviceId,
  sequence, type, state, tries, created_at AS createdAt, IF(state = 'pending', due_at, NULL) AS dueAt, ${TRY_COLUMNS}`;

/** Newest first. @param before only those with a lower id */
export async function list(
  database: Database,
  webhookId: WebhookId,
  filter: { state: DeliveryState | undefined; before: number },
  limit: number,
): Promise<Delivery[]> {
  const state = filter.state ? "AND state = ?" : "";
  const sql = `SELECT ${COLUMNS} FROM deliveries WHERE webhook_id = ? AND delivery_id < ? ${state}
    ORDER BY delivery_id DESC LIMIT ${Math.trunc(limit)}`;
  const values = [webhookId, filter.before, ...(filter.state ? [filter.state] : [])];
  return await withTries(database, await select<Row>(database.pool, sql, values));
}

export async function get(database: Database, deliveryId: number): Promise<Delivery | undefined> {
  const sql = `SELECT ${COLUMNS} FROM deliveries WHERE delivery_id = ?`;
  return (await withTries(database, await select<Row>(database.pool, sql, [deliveryId])))[0];
}

async function withTries(database: Database, rows: readonly Row[]): Promise<Delivery[]> {
  if (!rows.length) return [];
  const sql = `SELECT delivery_id AS deliveryId, ${TRY_COLUMNS} FROM delivery_tries
    WHERE delivery_id IN (${rows.map(() => "?").join(",")}) ORDER BY delivery_id, tried_at`;
  const failed = await select<Tried & { deliveryId: number }>(
    database.pool,
    sql,
    rows.map(({ deliveryId }) => deliveryId),
  );
  return rows.map((row) => {
    const lastTry = toTry(row);
    const tries = failed.filter(({ deliveryId }) => deliveryId === row.deliveryId).flatMap((one) => toTry(one) ?? []);
    return {
      deliveryId: row.deliveryId,
      webhookId: row.webhookId,
      eventId: row.eventId,
      deviceId: row.deviceId,
      sequence: row.sequence,
      type: row.type,
      state: row.state,
      tries: row.tries,
      createdAt: row.createdAt,
      dueAt: row.dueAt,
      lastTry,
      earlierTries: tries.filter(({ at }) => lastTry !== null && at < lastTry.at),
      error: lastTry ? null : row.error,
    };
  });
}

const toTry = ({ triedAt, triedMs, answerStatus, answer, error }: Tried): PastTry | null =>
  triedAt && { at: triedAt, ms: triedMs ?? 0, status: answerStatus, answer, error };
