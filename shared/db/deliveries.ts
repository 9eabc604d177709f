import { randomBytes } from "node:crypto";
import type { Event, EventBody, EventType } from "../events.ts";
import { eventIdsFrom, newEventId, timeOfEventId } from "../ids.ts";
import type { DeviceId, EventId, WebhookId } from "../ids.ts";
import type { NewNotice, Notice } from "../notices.ts";
import { countFailures, DELIVERY_LOG_SECONDS, pauseMs, WEBHOOK_WAIT_SECONDS } from "../retries.ts";
import type { DeliveryState } from "./delivery-log.ts";
import { EVERY_EVENT } from "./fan-out.ts";
import { parseTrace } from "../trace.ts";
import type { Trace } from "../trace.ts";
import { execute, parseJson, select, transaction } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";
import { VISIBLE_TO_USER } from "./visible-devices.ts";
import { ENDPOINT_COLUMNS, toEndpoint } from "./webhooks.ts";
import type { Endpoint, EndpointRow, Webhook } from "./webhooks.ts";

/**
 * A delivery that is this process's to try, for so long as its claim lasts. The event is undefined when it was erased, or
 * is older than events are kept.
 */
export type ClaimedDelivery = {
  deliveryId: number;
  tries: number;
  event: Event | Notice | undefined;
  /** Of the request that brought the event about. */
  trace: Trace | null;
};
/** `endpoint.failures` and the like are as they were. */
export type Claim = { claim: string; endpoint: Endpoint; deliveries: ClaimedDelivery[] };

/** What became of a try. `waitMs`: until the next one; undefined: there is none. `error`: a stable word, null when it was taken. */
export type Try = {
  deliveryId: number;
  isDelivered: boolean;
  waitMs: number | undefined;
  ms: number;
  status: number | null;
  answer: string | null;
  error: string | null;
};

/** Then it is another's, unless it was renewed: what a dead process had under way waits no longer. */
export const CLAIM_SECONDS = 6;
/** Tries of one webhook at a time: of one process, and of all. What a dead process has claimed must not stop the others. */
const MOST_TOGETHER = 8;
const MOST_IN_FLIGHT = 3 * MOST_TOGETHER;
const CLAIM_BYTES = 12;
const TEST_WAIT_SECONDS = 60;
const REMOVED_AT_ONCE = 1_000;
const REPLAYED_AT_ONCE = 1_000;

/**
 * Takes what is due for a webhook, oldest first, so that nobody else tries it. Of a webhook that keeps the order, only the
 * first of each device. `paused`: nothing is tried before `untilMs` from now. `busy`: others try as much as may be at
 * a time. `nothing`: none is due, or the webhook is disabled or gone.
 */
export async function claim(
  database: Database,
  webhookId: WebhookId,
): Promise<Claim | { nothing: true } | { busy: true } | { pausedMs: number }> {
  return await transaction(database, async (runner) => {
    // Whoever claims for this webhook waits here; so the counts below hold.
    const sql = `SELECT ${ENDPOINT_COLUMNS}, GREATEST(0, TIMESTAMPDIFF(MICROSECOND, NOW(3), paused_until)) / 1000 AS paused_ms
      FROM webhooks w WHERE webhook_id = ? AND disabled_at IS NULL FOR UPDATE`;
    const [row] = await select<EndpointRow & { paused_ms: number | string | null }>(runner, sql, [webhookId]);
    if (!row) return { nothing: true as const };
    const pausedMs = Number(row.paused_ms ?? 0);
    if (pausedMs > 0) return { pausedMs };
    const endpoint = toEndpoint(row);

    const inFlight = await countInFlight(runner, webhookId);
    // A receiver that was paused gets one try, to see whether it is back.
    const room = pauseMs(endpoint.failures) > 0 ? 1 - inFlight : Math.min(MOST_TOGETHER, MOST_IN_FLIGHT - inFlight);
    const due = await listDue(runner, endpoint, Math.max(1, room));
    if (!due.length) return { nothing: true as const };
    if (room <= 0) return { busy: true as const };
    const claim = randomBytes(CLAIM_BYTES).toString("hex");
    await execute(
      runner,
      `UPDATE deliveries SET claim = ?, tries = tries + 1, due_at = NOW(3) + INTERVAL ${CLAIM_SECONDS} SECOND
       WHERE delivery_id IN (${marks(due)})`,
      [claim, ...due.map(({ delivery_id }) => delivery_id)],
    );
    return { claim, endpoint, deliveries: due.map(toClaimed) };
  });
}

async function countInFlight(runner: Runner, webhookId: WebhookId): Promise<number> {
  const sql = `SELECT COUNT(*) AS count FROM deliveries
    WHERE webhook_id = ? AND claim IS NOT NULL AND state = 'pending' AND due_at > NOW(3)`;
  const [row] = await select<{ count: number }>(runner, sql, [webhookId]);
  return row?.count ?? 0;
}

type DueRow = {
  delivery_id: number;
  tries: number;
  event_id: EventId;
  device_id: DeviceId;
  sequence: number;
  type: EventType | Notice["type"];
  created_at: Date;
  occurred_at: Date | null;
  data: unknown;
  traceparent: string | null;
  notice: unknown;
};

async function listDue(runner: Runner, { webhookId, isOrdered }: Endpoint, limit: number): Promise<DueRow[]> {
  const isFirst = `NOT EXISTS (SELECT 1 FROM deliveries b WHERE b.webhook_id = d.webhook_id AND b.state = 'pending'
    AND b.device_id = d.device_id AND b.sequence < d.sequence)`;
  const sql = `SELECT d.delivery_id, d.tries, d.event_id, d.device_id, d.sequence, d.type, d.created_at, d.notice,
      e.occurred_at, e.data, e.traceparent
    FROM deliveries d LEFT JOIN events e ON e.device_id = d.device_id AND e.sequence = d.sequence
    WHERE d.webhook_id = ? AND d.state = 'pending' AND d.due_at <= NOW(3) AND d.expires_at > NOW(3)
      ${isOrdered ? `AND ${isFirst}` : ""}
    ORDER BY d.due_at, d.delivery_id LIMIT ${Math.trunc(limit)}`;
  return await select<DueRow>(runner, sql, [webhookId]);
}

function toClaimed(row: DueRow): ClaimedDelivery {
  const { delivery_id: deliveryId, event_id: id, device_id: deviceId, sequence, type, occurred_at: occurredAt } = row;
  const tries = row.tries + 1;
  const told = parseJson(row.notice);
  if (told !== null) {
    const about = { id, deviceId: null, sequence: null, occurredAt: row.created_at };
    return { deliveryId, tries, event: { ...about, type, data: told } as Notice, trace: null };
  }
  const data = parseJson(row.data);
  const trace = parseTrace(row.traceparent) ?? null;
  if (occurredAt === null || data === null) return { deliveryId, tries, event: undefined, trace };
  const event = { ...({ type, data } as EventBody), id, deviceId, sequence, occurredAt };
  return { deliveryId, tries, event, trace };
}

/** Has a claim last as long again, for tries that take their time. */
export async function renew(database: Database, { claim, deliveries }: Claim): Promise<void> {
  const sql = `UPDATE deliveries SET due_at = NOW(3) + INTERVAL ${CLAIM_SECONDS} SECOND
    WHERE delivery_id IN (${marks(deliveries)}) AND claim = ?`;
  await execute(database.pool, sql, [...deliveries.map(({ deliveryId }) => deliveryId), claim]);
}

/** Writes down what became of tries, but for those whose claim is another's by now. */
export async function recordTries(database: Database, claim: string, tries: readonly Try[]): Promise<void> {
  const columns = "? AS id, ? AS state, ? AS wait_ms, ? AS ms, ? AS status, ? AS answer, ? AS error";
  const sql = `UPDATE deliveries d JOIN (${tries.map(() => `SELECT ${columns}`).join(" UNION ALL ")}) t
      ON t.id = d.delivery_id
    SET d.state = t.state, d.claim = NULL, d.tried_at = NOW(3), d.tried_ms = t.ms, d.answer_status = t.status,
      d.answer = t.answer, d.error = t.error,
      d.due_at = IF(t.state = 'pending', NOW(3) + INTERVAL t.wait_ms * 1000 MICROSECOND, NOW(3)),
      d.expires_at = IF(t.state = 'pending', d.expires_at, NOW(3) + INTERVAL ${DELIVERY_LOG_SECONDS} SECOND)
    WHERE d.claim = ?`;
  const values = tries.flatMap(({ deliveryId, isDelivered, waitMs, ms, status, answer, error }) => {
    const state: DeliveryState = isDelivered ? "delivered" : waitMs === undefined ? "dead" : "pending";
    return [deliveryId, state, waitMs ?? 0, ms, status, answer, error];
  });
  await execute(database.pool, sql, [...values, claim]);
  const failed = tries.filter(({ isDelivered }) => !isDelivered);
  if (failed.length) await keepTries(database, failed);
}

/** So that they can be looked at when there are later ones: a copy of what stands in the rows of their deliveries. */
async function keepTries(database: Database, failed: readonly Try[]): Promise<void> {
  const columns = "delivery_id, tried_at, tried_ms, answer_status, answer, error";
  const sql = `REPLACE INTO delivery_tries (try_number, ${columns})
    SELECT tries, ${columns} FROM deliveries WHERE delivery_id IN (${marks(failed)}) AND tried_at IS NOT NULL`;
  await execute(
    database.pool,
    sql,
    failed.map(({ deliveryId }) => deliveryId),
  );
}

/** How a receiver has done in a round of tries. `pauseMs`: it has asked to be left alone for so long. */
export type Round = { succeeded: number; failed: number; pauseMs: number };

/**
 * Counts a receiver's failures in a row, and pauses one that fails on and on. Writes nothing of one that is well.
 * @returns how long it is paused from now
 */
export async function recordRound(
  database: Database,
  { webhookId, failures }: Pick<Endpoint, "webhookId" | "failures">,
  round: Round,
): Promise<number> {
  const now = round.succeeded ? 0 : countFailures(failures, round.failed);
  const pausedMs = Math.max(pauseMs(now), round.pauseMs);
  if (!now && !failures && !pausedMs) return 0;
  const sql = `UPDATE webhooks SET failures = ?, failing_since = IF(? = 0, NULL, COALESCE(failing_since, NOW(3))),
      paused_until = IF(? = 0, NULL, NOW(3) + INTERVAL ? MICROSECOND)
    WHERE webhook_id = ?`;
  await execute(database.pool, sql, [now, now, pausedMs, Math.round(pausedMs * 1000), webhookId]);
  return pausedMs;
}

/** Webhooks for which something is due and that are not paused, at most `limit`: whom to wake. */
export async function listWebhooksToWake(database: Database, limit: number): Promise<WebhookId[]> {
  const sql = `SELECT w.webhook_id AS webhookId FROM webhooks w
    WHERE w.disabled_at IS NULL AND (w.paused_until IS NULL OR w.paused_until <= NOW(3))
      AND EXISTS (SELECT 1 FROM deliveries d
        WHERE d.webhook_id = w.webhook_id AND d.state = 'pending' AND d.due_at <= NOW(3))
    LIMIT ${Math.trunc(limit)}`;
  return (await select<{ webhookId: WebhookId }>(database.pool, sql)).map(({ webhookId }) => webhookId);
}

/** Gives up those that have waited too long. @returns how many; fewer than all when there are very many */
export async function expire(database: Database): Promise<number> {
  const sql = `UPDATE deliveries SET state = 'dead', claim = NULL, error = COALESCE(error, 'expired'),
      expires_at = NOW(3) + INTERVAL ${DELIVERY_LOG_SECONDS} SECOND
    WHERE state = 'pending' AND expires_at <= NOW(3) AND (claim IS NULL OR due_at <= NOW(3))
    ORDER BY expires_at LIMIT ${REMOVED_AT_ONCE}`;
  return await execute(database.pool, sql);
}

/** Forgets those that ended long ago. @returns how many; fewer than all when there are very many */
export async function removeOld(database: Database): Promise<number> {
  const sql = `DELETE FROM deliveries WHERE state IN ('delivered', 'dead') AND expires_at <= NOW(3)
    ORDER BY expires_at LIMIT ${REMOVED_AT_ONCE}`;
  return await execute(database.pool, sql);
}

/** Forgets those of webhooks that are gone. @returns how many; fewer than all when there are very many */
export async function removeOrphans(database: Database): Promise<number> {
  // Each webhook is one step in the index, however many deliveries it has.
  const sql = `SELECT webhook_id AS webhookId FROM (SELECT DISTINCT webhook_id FROM deliveries) d
    WHERE NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.webhook_id = d.webhook_id) LIMIT 10`;
  const gone = await select<{ webhookId: WebhookId }>(database.pool, sql);
  if (!gone.length) return 0;
  const remove = `DELETE FROM deliveries WHERE webhook_id IN (${marks(gone)}) LIMIT ${REMOVED_AT_ONCE}`;
  return await execute(
    database.pool,
    remove,
    gone.map(({ webhookId }) => webhookId),
  );
}

/** @param waitSeconds after which they are given up */
export async function createNotices(
  runner: Runner,
  webhookIds: readonly WebhookId[],
  { id, type, data }: NewNotice,
  waitSeconds: number,
): Promise<void> {
  if (!webhookIds.length) return;
  const sql = `INSERT INTO deliveries (webhook_id, event_id, device_id, sequence, type, notice, due_at, expires_at)
    VALUES ${webhookIds.map(() => "(?, ?, '', 0, ?, ?, NOW(3), NOW(3) + INTERVAL ? SECOND)").join(",")}`;
  const notice = JSON.stringify(data);
  await execute(
    runner,
    sql,
    webhookIds.flatMap((webhookId) => [webhookId, id, type, notice, waitSeconds]),
  );
}

// ---- Below, for the people whose webhooks they are. ----

/** A delivery of nothing but a test. @returns its id */
export async function createTest(database: Database, webhookId: WebhookId): Promise<number> {
  const notice = { id: newEventId(), type: "webhook.test", data: { webhookId } } as const;
  await createNotices(database.pool, [webhookId], notice, TEST_WAIT_SECONDS);
  const find = "SELECT delivery_id AS deliveryId FROM deliveries WHERE event_id = ? AND webhook_id = ?";
  const [row] = await select<{ deliveryId: number }>(database.pool, find, [notice.id, webhookId]);
  if (!row) throw new Error("the row of a test has vanished");
  return row.deliveryId;
}

/** Ends a pause: somebody who knows the receiver wants it to be tried now. */
export async function endPause(database: Database, webhookId: WebhookId): Promise<void> {
  await execute(database.pool, "UPDATE webhooks SET paused_until = NULL WHERE webhook_id = ?", [webhookId]);
}

const AGAIN = `state = 'pending', tries = 0, claim = NULL, due_at = NOW(3),
  expires_at = NOW(3) + INTERVAL ${WEBHOOK_WAIT_SECONDS} SECOND`;

/** Has it tried at once, and as often as a new one. One that is being tried is left alone. */
export async function redeliver(database: Database, deliveryId: number): Promise<void> {
  const sql = `UPDATE deliveries SET ${AGAIN}
    WHERE delivery_id = ? AND NOT (state = 'pending' AND claim IS NOT NULL AND due_at > NOW(3))`;
  await execute(database.pool, sql, [deliveryId]);
}

export type Replay = { queued: number; next: Date | null };

/**
 * Has all events of a time delivered (again), those too for which there was no subscription then: at most `limit`.
 * @returns how many, and from where to ask for the rest
 */
export async function replay(
  database: Database,
  { webhookId, userId, deviceIds, eventTypes }: Pick<Webhook, "webhookId" | "userId" | "deviceIds" | "eventTypes">,
  time: { from: Date; to: Date },
  limit: number,
): Promise<Replay> {
  const ofDevices = deviceIds ? `AND e.device_id IN (${marks(deviceIds)})` : "";
  const ofTypes = eventTypes.includes(EVERY_EVENT) ? "" : `AND e.type IN (${marks(eventTypes)})`;
  // Ids of events begin with their time, and there is an index on them.
  const sql = `SELECT e.event_id, e.device_id, e.sequence, e.type
    FROM events e JOIN devices d ON d.device_id = e.device_id AND e.sequence > d.forgotten_sequence
      JOIN users u ON u.user_id = ?
    WHERE e.event_id >= ? AND e.event_id < ? AND ${VISIBLE_TO_USER} ${ofDevices} ${ofTypes}
    ORDER BY e.event_id LIMIT ${Math.trunc(limit) + 1}`;
  type Row = { event_id: EventId; device_id: DeviceId; sequence: number; type: string };
  const range = [eventIdsFrom(time.from), eventIdsFrom(time.to)];
  const values = [userId, ...range, ...(deviceIds ?? []), ...(ofTypes ? eventTypes : [])];
  const found = await select<Row>(database.pool, sql, values);
  const rows = found.slice(0, limit);
  for (let at = 0; at < rows.length; at += REPLAYED_AT_ONCE) {
    const some = rows.slice(at, at + REPLAYED_AT_ONCE);
    const insert = `INSERT INTO deliveries (webhook_id, event_id, device_id, sequence, type, due_at, expires_at)
      VALUES ${some.map(() => `(?, ?, ?, ?, ?, NOW(3), NOW(3) + INTERVAL ${WEBHOOK_WAIT_SECONDS} SECOND)`).join(",")}
      ON DUPLICATE KEY UPDATE ${AGAIN}`;
    const cells = some.flatMap((row) => [webhookId, row.event_id, row.device_id, row.sequence, row.type]);
    await execute(database.pool, insert, cells);
  }
  const more = found[limit];
  return { queued: rows.length, next: more ? timeOfEventId(more.event_id) : null };
}

const marks = (values: readonly unknown[]) => values.map(() => "?").join(",");
