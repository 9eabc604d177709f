import type { EventType } from "../events.ts";
import type { DeviceId, UserId, WebhookId } from "../ids.ts";
import { DISABLED_NOTICE } from "../notices.ts";
import type { NoticedReason } from "../notices.ts";
import { FAILING_SECONDS_TO_DISABLE } from "../retries.ts";
import type { EndpointKind } from "../retries.ts";
import { EVERY_EVENT } from "./fan-out.ts";
import { execute, isDuplicate, parseJson, select } from "./pool.ts";
import type { Database, Runner } from "./pool.ts";

/** Where and how events are sent. Secrets and headers are sealed (shared/sealed.ts) for the place of the webhook's id. */
export type Endpoint = {
  webhookId: WebhookId;
  userId: UserId;
  kind: EndpointKind;
  /** Null: the installation's own chatbot. */
  url: string | null;
  /** A JSON object. */
  headers: Buffer | null;
  secret: Buffer;
  /** Signs beside the new one until `oldSecretUntil`. */
  oldSecret: Buffer | null;
  oldSecretUntil: Date | null;
  isOrdered: boolean;
  /** In a row. */
  failures: number;
  failingSince: Date | null;
};

export type SubscribedType = EventType | typeof EVERY_EVENT | typeof DISABLED_NOTICE;

export type DisabledReason = "requested" | NoticedReason;

/** A user's subscription. */
export type Webhook = Endpoint & {
  description: string | null;
  eventTypes: SubscribedType[];
  /** Null: all that its user may see, also those that come later. */
  deviceIds: DeviceId[] | null;
  disabledAt: Date | null;
  /** `requested`: by its user. */
  disabledReason: DisabledReason | null;
  pausedUntil: Date | null;
  createdAt: Date;
};

/** What its owner decides. */
export type WebhookSettings = Pick<
  Webhook,
  "url" | "description" | "eventTypes" | "deviceIds" | "headers" | "isOrdered"
>;
export type NewWebhook = WebhookSettings &
  Pick<Webhook, "webhookId" | "userId" | "secret"> & { idempotency?: { key: string; fingerprint: Buffer } };

export const ENDPOINT_COLUMNS = `w.webhook_id, w.user_id, w.kind, w.url, w.headers, w.secret, w.old_secret,
  w.old_secret_until, w.is_ordered, w.failures, w.failing_since`;
export type EndpointRow = {
  webhook_id: WebhookId;
  user_id: UserId;
  kind: EndpointKind;
  url: string | null;
  headers: Buffer | null;
  secret: Buffer;
  old_secret: Buffer | null;
  old_secret_until: Date | null;
  is_ordered: number;
  failures: number;
  failing_since: Date | null;
};
export const toEndpoint = (row: EndpointRow): Endpoint => ({
  webhookId: row.webhook_id,
  userId: row.user_id,
  kind: row.kind,
  url: row.url,
  headers: row.headers,
  secret: row.secret,
  oldSecret: row.old_secret,
  oldSecretUntil: row.old_secret_until,
  isOrdered: row.is_ordered === 1,
  failures: row.failures,
  failingSince: row.failing_since,
});

const COLUMNS = `${ENDPOINT_COLUMNS}, w.description, w.event_types, w.device_ids, w.disabled_at, w.disabled_reason,
  w.paused_until, w.created_at`;
type Row = EndpointRow & {
  description: string | null;
  event_types: unknown;
  device_ids: unknown;
  disabled_at: Date | null;
  disabled_reason: DisabledReason | null;
  paused_until: Date | null;
  created_at: Date;
};
const fromRow = (row: Row): Webhook => ({
  ...toEndpoint(row),
  description: row.description,
  eventTypes: parseJson(row.event_types) as SubscribedType[],
  deviceIds: parseJson(row.device_ids) as DeviceId[] | null,
  disabledAt: row.disabled_at,
  disabledReason: row.disabled_reason,
  pausedUntil: row.paused_until,
  createdAt: row.created_at,
});

/** False when the client has created one under the same idempotency key: `getCreation` tells which. */
export async function create(database: Database, webhook: NewWebhook): Promise<boolean> {
  const sql = `INSERT INTO webhooks (webhook_id, user_id, kind, url, description, event_types, device_ids, headers,
      is_ordered, secret, creation_key, creation_fingerprint)
    VALUES (?, ?, 'webhook', ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
  const { webhookId, userId, secret, idempotency } = webhook;
  const creation = [idempotency?.key ?? null, idempotency?.fingerprint ?? null];
  try {
    const { url, ...settings } = settingValues(webhook);
    await execute(database.pool, sql, [webhookId, userId, url, ...Object.values(settings), secret, ...creation]);
    return true;
  } catch (error) {
    if (idempotency && isDuplicate(error)) return false;
    throw error;
  }
}

/** In the order of the columns above. */
const settingValues = ({ url, description, eventTypes, deviceIds, headers, isOrdered }: WebhookSettings) => ({
  url,
  description,
  eventTypes: JSON.stringify(eventTypes),
  deviceIds: deviceIds && JSON.stringify(deviceIds),
  headers,
  isOrdered: isOrdered ? 1 : 0,
});

/** What was created under an idempotency key, if it is still there. */
export async function getCreation(
  database: Database,
  key: string,
): Promise<{ webhook: Webhook; fingerprint: Buffer } | undefined> {
  const sql = `SELECT ${COLUMNS}, w.creation_fingerprint FROM webhooks w WHERE w.creation_key = ?`;
  const [row] = await select<Row & { creation_fingerprint: Buffer }>(database.pool, sql, [key]);
  return row && { webhook: fromRow(row), fingerprint: row.creation_fingerprint };
}

/** A user's, oldest first. */
export async function list(database: Database, userId: UserId): Promise<Webhook[]> {
  const sql = `SELECT ${COLUMNS} FROM webhooks w WHERE w.user_id = ? AND w.kind = 'webhook'
    ORDER BY w.created_at, w.webhook_id`;
  return (await select<Row>(database.pool, sql, [userId])).map(fromRow);
}

/** Undefined when there is none, or it is another user's. */
export async function get(database: Database, userId: UserId, webhookId: WebhookId): Promise<Webhook | undefined> {
  const sql = `SELECT ${COLUMNS} FROM webhooks w WHERE w.webhook_id = ? AND w.user_id = ? AND w.kind = 'webhook'`;
  const [row] = await select<Row>(database.pool, sql, [webhookId, userId]);
  return row && fromRow(row);
}

/**
 * Writes all that its owner decides.
 * @param isActive undefined: as it is; true: what was learned of the receiver is forgotten too
 */
export async function update(
  database: Database,
  webhook: WebhookSettings & Pick<Webhook, "webhookId">,
  isActive: boolean | undefined,
): Promise<void> {
  const reset = "failures = 0, failing_since = NULL, paused_until = NULL";
  const activity = {
    unchanged: "",
    on: `, disabled_at = NULL, disabled_reason = NULL, ${reset}`,
    off: ", disabled_at = COALESCE(disabled_at, NOW(3)), disabled_reason = COALESCE(disabled_reason, 'requested')",
  }[isActive === undefined ? "unchanged" : isActive ? "on" : "off"];
  const sql = `UPDATE webhooks SET url = ?, description = ?, event_types = ?, device_ids = ?, headers = ?, is_ordered = ?
    ${activity} WHERE webhook_id = ?`;
  await execute(database.pool, sql, [...Object.values(settingValues(webhook)), webhook.webhookId]);
}

/** The old secret signs beside the new one for so long. */
export async function rotateSecret(
  database: Database,
  webhookId: WebhookId,
  secret: Buffer,
  overlapSeconds: number,
): Promise<void> {
  // Assignments run from left to right: the first sees the old secret.
  const sql = `UPDATE webhooks SET old_secret = secret, old_secret_until = NOW(3) + INTERVAL ? SECOND, secret = ?
    WHERE webhook_id = ?`;
  await execute(database.pool, sql, [overlapSeconds, secret, webhookId]);
}

/** Without its user: it wants nothing any more, or fails for too long by now. False when not, or it was disabled before. */
export async function disable(runner: Runner, webhookId: WebhookId, reason: NoticedReason): Promise<boolean> {
  const isSo = reason === "gone" ? "" : `AND failing_since < NOW(3) - INTERVAL ${FAILING_SECONDS_TO_DISABLE} SECOND`;
  const sql = `UPDATE webhooks SET disabled_at = NOW(3), disabled_reason = ?
    WHERE webhook_id = ? AND kind = 'webhook' AND disabled_at IS NULL ${isSo}`;
  return (await execute(runner, sql, [reason, webhookId])) > 0;
}

/** `sweep` forgets its deliveries. False when it was gone already. */
export async function remove(database: Database, webhookId: WebhookId): Promise<boolean> {
  return (await execute(database.pool, "DELETE FROM webhooks WHERE webhook_id = ?", [webhookId])) > 0;
}
